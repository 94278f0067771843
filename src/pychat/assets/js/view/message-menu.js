/** More that can be done about a message: pin it, report it, moderate its author. */

import { ask } from "./ask.js";
import { nameOf } from "./elements.js";
import { textField } from "./fields.js";
import { menu } from "./menu.js";
import { write } from "./template-refs.js";
import { toast } from "./toast.js";

/** Characters of a reason, as the server allows. */
export const MAX_REASON = 300;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {ReturnType<typeof import("./moderators.js").moderators>} options.moderators
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} options.showPerson
 * @param {(refusal: {text: string}) => void} options.failed
 * @returns {{has(entry: import("../log.js").Entry): boolean, open(entry: import("../log.js").Entry, at: HTMLElement): void}}
 */
export function messageMenu(room, refs, { moderators, showPerson, failed }) {
  const { open, close } = menu(refs.find("message-menu", "dialog"), refs);
  const [pin, report, person] = ["pin", "report", "person"].map((name) => refs.find(`message-${name}`, "button"));
  let entry = null;
  let opener = null;

  const isPinned = () => room.pinned.some(({ seq }) => seq === entry.seq);

  pin.addEventListener("click", () => {
    close();
    moderators.pin(entry.seq, !isPinned()).catch(failed);
  });
  person.addEventListener("click", () => {
    close();
    showPerson(entry.author, opener);
  });
  report.addEventListener("click", () => {
    close();
    const { seq, author, text } = entry;
    const reason = textField("What is wrong with it?", { maxlength: MAX_REASON, placeholder: "You may leave this empty" });
    ask(refs, {
      title: ["Report this message"],
      lead: [nameOf(author.name), ": ", nameOf(text.length > 140 ? `${text.slice(0, 140)}…` : text)],
      fields: [reason.element],
      button: "Report",
      async run() {
        await room.report(seq, reason.value);
        toast(refs, "The moderators have your report.");
      },
    });
  });

  return {
    has: ({ own }) => room.moderates || (!own && !!room.me),
    open(which, at) {
      entry = which;
      opener = at;
      pin.hidden = !room.moderates;
      write(refs.find("message-pin-text"), isPinned() ? "Unpin" : "Pin");
      report.hidden = entry.own || !room.me;
      person.hidden = entry.own || !room.moderates || !moderators.actionsFor(entry.author).length;
      write(refs.find("message-person-name"), entry.author.name);
      open(at);
    },
  };
}
