/** Finds messages by their words, and leads to them. */

import { hue, initials } from "../colour.js";
import { excerpt } from "../excerpt.js";
import { exact, relative } from "../time.js";
import { copy, part, write } from "./parts.js";

/** Milliseconds without a key. */
const PAUSE = 200;
const PAGE = 20;

/**
 * @param {import("../room.js").Room} room
 * @param {(seq: number) => Promise<boolean>} reveal
 */
export function search(room, reveal) {
  const button = part("search-button", "button");
  const dialog = part("finder", "dialog");
  const field = part("finder-input", "input");
  const note = part("finder-note");
  const list = part("found", "ul");
  const more = part("finder-more", "button");
  let pause;
  /** The newest question; answers to older ones come too late. */
  let asked = 0;
  let oldest;
  let shown = "";

  function open() {
    if (dialog.open || !dialog.isConnected) return;
    dialog.showModal();
    field.select();
    ask();
  }

  /** @param {number} [before] to go on from there; without it, from the newest */
  async function ask(before) {
    clearTimeout(pause);
    const matching = field.value.trim();
    asked += 1;
    const mine = asked;
    if (!matching) return show(matching, [], false);
    try {
      const { messages, more: further } = await room.history({ before, limit: PAGE, matching });
      if (mine === asked) show(matching, messages.reverse(), further, before !== undefined);
    } catch ({ text }) {
      if (mine === asked) write(note, text);
    }
  }

  function show(matching, messages, further, goesOn = false) {
    const rows = messages.map((message) => row(message, matching));
    const next = goesOn ? rows[0]?.firstElementChild : null;
    if (goesOn) list.append(...rows);
    else list.replaceChildren(...rows);
    oldest = messages.at(-1)?.seq ?? oldest;
    shown = matching;
    more.hidden = !further;
    const count = list.children.length;
    write(note, !matching ? "" : count === 0 ? "Nothing found. All words must be in one message." : `${count}${further ? " or more" : ""} found`);
    next?.focus();
  }

  function row({ seq, author, date, text }, matching) {
    const item = copy("found");
    const own = author.id === room.me?.id;
    item.style.setProperty("--hue", hue(author.id));
    write(item.querySelector(".avatar"), initials(author.name));
    write(item.querySelector(".author"), own ? "You" : author.name);
    const time = item.querySelector("time");
    time.dateTime = date;
    time.title = exact(new Date(date));
    write(time, relative(new Date(date), new Date()));
    item.querySelector(".found-text").append(
      ...excerpt(text, matching).map((piece) => {
        if (!piece.found) return document.createTextNode(piece.text);
        const mark = document.createElement("mark");
        mark.textContent = piece.text;
        return mark;
      }),
    );
    item.firstElementChild.addEventListener("click", () => choose(seq));
    return item;
  }

  async function choose(seq) {
    try {
      if (!(await reveal(seq, () => dialog.close()))) write(note, "This message is not there any more.");
    } catch ({ text }) {
      write(note, text);
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(ask, PAUSE);
  });
  part("finder-form", "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("button");
    if (first && shown === field.value.trim()) first.click();
    else ask();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing) return;
    const stops = [field, ...list.querySelectorAll("button")];
    const at = stops.indexOf(document.activeElement);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.min(stops.length - 1, Math.max(0, at + step))].focus();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  part("finder-close", "button").addEventListener("click", () => dialog.close());
  more.addEventListener("click", () => ask(oldest));
  button.addEventListener("click", open);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    const asksFor = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (!asksFor || document.querySelector("dialog[open]")) return;
    event.preventDefault();
    open();
  });
  room.on("welcome", () => (button.hidden = false));
}
