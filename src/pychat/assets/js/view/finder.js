/** What the search dialog finds: messages with the words that are typed there. It scrolls to them. */

import { initials } from "../colour.js";
import { excerpt } from "../excerpt.js";
import { forServer, wordsOf } from "../search-filters.js";
import { exact, moment, t } from "../words.js";
import { write } from "./template-refs.js";

/** Milliseconds without a key until the search starts. */
const TYPING_PAUSE = 200;
const PAGE = 20;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(seq: number) => Promise<boolean>} reveal
 * @returns {{ask(): void}} searches for what the fields hold
 */
export function finder(room, refs, reveal) {
  const dialog = refs.find("finder", "dialog");
  const field = refs.find("finder-input", "input");
  const note = refs.find("finder-note");
  const list = refs.find("found", "ul");
  const more = refs.find("finder-more", "button");
  const filters = Object.fromEntries(["from", "after", "before"].map((name) => [name, refs.find(`finder-${name}`, "input")]));
  let timer;
  /** The number of the newest request; answers to older ones are ignored. */
  let newest = 0;
  let oldest;
  let shown = "";

  /** What the field and the filters ask for, as the server reads it. */
  function wanted() {
    const { from, after, before } = filters;
    return forServer({ text: field.value, from: from.value, after: after.value, before: before.value });
  }

  /** @param {number} [before] only messages before this `seq` */
  async function ask(before) {
    clearTimeout(timer);
    const matching = wanted();
    newest += 1;
    const number = newest;
    if (!matching) return show(matching, [], false);
    try {
      const { messages, more: further } = await room.history({ before, limit: PAGE, matching });
      if (number === newest) show(matching, messages.reverse(), further, before !== undefined);
    } catch ({ text }) {
      if (number === newest) write(note, text);
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
    write(note, !matching ? "" : count === 0 ? t("search.nothing") : t(further ? "search.found-more" : "search.found", { count }));
    next?.focus();
  }

  function row({ seq, author, date, text }, matching) {
    const item = refs.copy("found");
    const own = author.id === room.me?.id;
    item.style.setProperty("--hue", room.people.hueOf(author.id));
    write(item.querySelector(".avatar"), initials(author.name));
    write(item.querySelector(".author"), own ? t("log.you") : author.name);
    const time = item.querySelector("time");
    time.dateTime = date;
    time.title = exact(new Date(date));
    write(time, moment(new Date(date)));
    item.querySelector(".found-text").append(
      ...excerpt(text, wordsOf(matching)).map((piece) => {
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
      if (!(await reveal(seq, () => dialog.close()))) write(note, t("message.missing"));
    } catch ({ text }) {
      write(note, text);
    }
  }

  for (const one of [field, ...Object.values(filters)]) {
    one.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(ask, TYPING_PAUSE);
    });
  }
  refs.find("finder-form", "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const first = list.querySelector("button");
    if (first && shown === wanted()) first.click();
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
  more.addEventListener("click", () => ask(oldest));
  return { ask: () => ask() };
}
