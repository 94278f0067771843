/** Reports a message to the moderators, with a reason. */

import { nameOf } from "../view/elements.js";
import { toast } from "../view/toast.js";
import { pieces, t } from "../words.js";
import { ask } from "./ask.js";
import { MAX_REASON, textField } from "./fields.js";

/** Characters of the message that the card repeats. */
const MAX_SHOWN = 140;

/** @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs @param {import("../log.js").Entry} entry */
export function reportMessage(room, refs, { seq, author, text }) {
  const reason = textField(t("report.reason"), { maxlength: MAX_REASON, placeholder: t("common.may-be-empty") });
  ask(refs, {
    title: [t("report.title")],
    lead: pieces("report.message", { name: nameOf(author.name), text: nameOf(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text) }),
    fields: [reason.element],
    button: t("report.button"),
    async run() {
      await room.report(seq, reason.value);
      toast(refs, t("report.done"));
    },
  });
}
