/** More that can be done about a message: pin it, report it, moderate its author. */

import { withWords } from "../words.js";
import { menu } from "./menu.js";
import { write } from "./template-refs.js";

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
    const reported = entry;
    withWords(import("../dialogs/report.js")).then(({ reportMessage }) => reportMessage(room, refs, reported), () => failed({ text: "This could not be loaded. Reload the page." }));
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
