/** All that can be done about a message: a menu beside it, or a sheet with emoji after a long press of a finger. */

import { pieces, t, withWords } from "../words.js";
import { copy } from "./clipboard.js";
import { nameOf } from "./elements.js";
import { menu } from "./menu.js";
import { write } from "./template-refs.js";
import { toast } from "./toast.js";

const ITEMS = ["reply", "react", "copy", "link", "edit", "pin", "report", "person", "delete"];
/** Emoji in the sheet. */
const EMOJI = 6;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {(line: HTMLElement) => import("../log.js").Entry | undefined} options.entryOf
 * @param {{reply(entry: object): void, edit(entry: object): void}} options.composer
 * @param {ReturnType<typeof import("./moderators.js").moderators>} options.moderators
 * @param {ReturnType<typeof import("./reaction-picker.js").reactionPicker>} options.picker
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} options.showPerson
 * @param {(refusal: {text: string}) => void} options.failed
 */
export function messageMenu(room, refs, { entryOf, composer, moderators, picker, showPerson, failed }) {
  const dialog = refs.find("message-menu", "dialog");
  const { open, close } = menu(dialog, refs);
  const items = Object.fromEntries(ITEMS.map((name) => [name, refs.find(`message-${name}`, "button")]));
  const emoji = refs.find("message-emoji");
  const confirmation = refs.find("confirm");
  /** @type {import("../log.js").Entry} */
  let entry = null;
  let opener = null;

  const isPinned = () => room.pinned.some(({ seq }) => seq === entry.seq);
  const mayModerate = () => room.moderates && !entry.own && moderators.actionsFor(entry.author).length > 0;

  function has({ state, deleted, author, own }) {
    return state === "sent" && !deleted && room.state.name !== "refused" && (own || !room.blocks(author.id));
  }

  function show(sheet) {
    const mayWrite = !!room.me && room.may("write");
    const mayReact = !!room.me && room.may("react");
    const shown = {
      reply: sheet && mayWrite,
      react: sheet && mayReact,
      copy: true,
      link: true,
      edit: entry.own && mayWrite,
      pin: room.moderates,
      report: !entry.own && !!room.me,
      person: !entry.own && !!entry.author.name,
      delete: (entry.own && mayWrite) || room.moderates,
    };
    for (const [name, item] of Object.entries(items)) item.hidden = !shown[name];
    confirmation.hidden = true;
    emoji.hidden = !sheet || !mayReact;
    emoji.replaceChildren(...(emoji.hidden ? [] : picker.buttons(entry, EMOJI, "sheet-emoji", close)));
    write(refs.find("message-pin-text"), t(isPinned() ? "message.unpin" : "message.pin"));
    refs.find("message-person-text").replaceChildren(...pieces(mayModerate() ? "message.moderate-person" : "message.about", { name: nameOf(entry.author.name) }));
  }

  function openFor(which, at, sheet = false) {
    entry = which;
    opener = at;
    show(sheet);
    open(at, { sheet });
  }

  /** Asks whether to delete, in place of the items. */
  function ask(on) {
    if (on) for (const item of Object.values(items)) item.hidden = true;
    else show(dialog.classList.contains("bottom"));
    emoji.hidden ||= on;
    confirmation.hidden = !on;
    (on ? refs.find("confirm-yes", "button") : items.delete).focus();
  }

  async function share(text, told) {
    if (await copy(text)) toast(refs, told);
  }

  const actions = {
    reply: () => composer.reply(entry),
    react: () => picker.open(entry, opener),
    copy: () => share(entry.text, t("message.copied")),
    link: () => share(`${refs.address ?? location.href.split("#")[0]}#m${entry.seq}`, t("message.link-copied")),
    edit: () => composer.edit(entry),
    pin: () => moderators.pin(entry.seq, !isPinned()).catch(failed),
    report: () => {
      const reported = entry;
      withWords(import("../dialogs/report.js")).then(({ reportMessage }) => reportMessage(room, refs, reported), () => failed({ text: t("message.not-loaded") }));
    },
    person: () => showPerson(entry.author, opener),
  };
  for (const [name, act] of Object.entries(actions)) {
    items[name].addEventListener("click", () => {
      close();
      act();
    });
  }
  items.delete.addEventListener("click", () => ask(true));
  refs.find("confirm-no", "button").addEventListener("click", () => ask(false));
  refs.find("confirm-yes", "button").addEventListener("click", () => {
    close();
    room.delete(entry.seq).catch(failed);
  });
  dialog.addEventListener("cancel", (event) => {
    if (confirmation.hidden) return;
    event.preventDefault();
    ask(false);
  });

  /** A finger was on a row for long. @param {HTMLElement} row */
  function press(row) {
    const which = entryOf(row);
    if (which && has(which)) openFor(which, row, true);
  }

  room.on("log", ({ kind, entry: changed }) => {
    if (dialog.open && (kind === "reset" || (changed === entry && changed.deleted))) close();
  });

  return { has, open: openFor, press };
}
