/** Reports a message to the moderators, with a reason. */

import { nameOf } from "../view/elements.js";
import { toast } from "../view/toast.js";
import { ask } from "./ask.js";
import { MAX_REASON, textField } from "./fields.js";

/** Characters of the message that the card repeats. */
const MAX_SHOWN = 140;

/** @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs @param {import("../log.js").Entry} entry */
export function reportMessage(room, refs, { seq, author, text }) {
  const reason = textField("What is wrong with it?", { maxlength: MAX_REASON, placeholder: "You may leave this empty" });
  ask(refs, {
    title: ["Report this message"],
    lead: [nameOf(author.name), ": ", nameOf(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text)],
    fields: [reason.element],
    button: "Report",
    async run() {
      await room.report(seq, reason.value);
      toast(refs, "The moderators have your report.");
    },
  });
}
