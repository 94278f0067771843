/** Finds messages by their words, and leads to them. */

import { hue, initials } from "../colour.js";
import { excerpt } from "../excerpt.js";
import { exact, relative } from "../time.js";
import { dialogOpener } from "./dialog-position.js";
import { write } from "./template-refs.js";

/** Milliseconds without a key. */
const PAUSE = 200;
const PAGE = 20;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(seq: number) => Promise<boolean>} reveal
 */
export function search(room, refs, reveal) {
  const button = refs.find("search-button", "button");
  const dialog = refs.find("finder", "dialog");
  const place = dialogOpener(dialog, refs);
  const field = refs.find("finder-input", "input");
  const note = refs.find("finder-note");
  const list = refs.find("found", "ul");
  const more = refs.find("finder-more", "button");
  let pause;
  /** The newest question; answers to older ones come too late. */
  let asked = 0;
  let oldest;
  let shown = "";

  function open() {
    if (dialog.open || !dialog.isConnected) return;
    place();
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
    const item = refs.copy("found");
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
  refs.find("finder-form", "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("button");
    if (first && shown === field.value.trim()) first.click();
    else ask();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || event.isComposing) return;
    const stops = [field, ...list.querySelectorAll("button")];
    const at = stops.indexOf(refs.active);
    if (at < 0) return;
    event.preventDefault();
    stops[Math.min(stops.length - 1, Math.max(0, at + step))].focus();
  });
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  refs.find("finder-close", "button").addEventListener("click", () => dialog.close());
  more.addEventListener("click", () => ask(oldest));
  button.addEventListener("click", open);
  // On a page of its own these keys work anywhere; in a box on a page, where the focus is in it.
  refs.listen(refs.root, "keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    const asksFor = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (!asksFor || refs.root.querySelector("dialog[open]")) return;
    event.preventDefault();
    // The page around may have a search of its own.
    event.stopPropagation();
    open();
  });
  room.on("welcome", () => (button.hidden = false));
}
