/** The pinned messages, above the conversation: the newest, and all of them at a click. */

import { t } from "../words.js";
import { icon, make, nameOf } from "./elements.js";

const CROSS = "m6 6 8 8M14 6l-8 8";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {(seq: number) => Promise<boolean>} options.reveal scrolls to a message
 * @param {ReturnType<typeof import("./moderators.js").moderators>} options.moderators
 * @param {(refusal: {text: string}) => void} options.failed
 */
export function pins(room, refs, { reveal, moderators, failed }) {
  const bar = refs.find("pins", "section");
  const list = refs.find("pin-list", "ul");
  const more = refs.find("pins-more", "button");
  let open = false;

  function show() {
    const all = room.state.name === "refused" || !room.may("read") ? [] : [...room.pinned].reverse();
    bar.hidden = !all.length;
    open &&= all.length > 1;
    const focused = [...list.querySelectorAll("button")].indexOf(refs.active);
    list.replaceChildren(...(open ? all : all.slice(0, 1)).map(row));
    if (focused >= 0) (list.querySelectorAll("button")[focused] ?? list.querySelector("button"))?.focus();
    more.hidden = all.length < 2;
    more.textContent = open ? t("pins.less") : t("pins.more", { count: all.length - 1 });
    more.setAttribute("aria-label", open ? t("pins.newest") : t("pins.all", { count: all.length }));
    more.setAttribute("aria-expanded", String(open));
  }

  function row({ seq, author, text }) {
    // The log is newer than the pin: a pin must not show a text that was edited.
    const entry = room.log.find(seq);
    const words = make("span", { class: "pin-text", dir: "auto" }, entry?.deleted ? t("log.deleted", { count: 1 }) : (entry?.text ?? text));
    const jump = make("button", { class: "pin-jump", type: "button", click: () => reveal(seq).then((found) => (jump.disabled = !found), failed) }, make("span", { class: "hidden" }, `${t("pins.one")} `), make("b", {}, nameOf(entry?.author.name ?? author)), " ", words);
    const unpin = room.moderates && (open || room.pinned.length === 1) && make("button", { class: "tool", type: "button", "aria-label": t("message.unpin"), title: t("message.unpin"), click: () => moderators.pin(seq, false).catch(failed) }, icon(CROSS));
    return make("li", {}, jump, unpin || undefined);
  }

  more.addEventListener("click", () => {
    open = !open;
    show();
  });
  for (const event of ["welcome", "room", "access", "state"]) room.on(event, show);
  room.on("log", ({ kind, entry }) => kind === "change" && room.pinned.some(({ seq }) => seq === entry?.seq) && show());
  show();
}
