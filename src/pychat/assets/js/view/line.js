/** One row of the log: a message or a notice. Its parts are made when they are needed. Texts become nodes, never markup. */

import { action } from "../action.js";
import { initials } from "../colour.js";
import { HERE } from "../mentions.js";
import { exact, list, number, t, time } from "../words.js";
import { renderText } from "../writing/render.js";
import { make } from "./elements.js";
import { badgeName } from "./roles.js";
import { write } from "./template-refs.js";

/** A text is collapsed if it has more characters or more lines. */
const LONG = 1200;
const LONG_LINES = 20;
/** The order of the parts in a row. */
const PARTS = ["avatar", "byline", "gutter", "quote", "text", "show-more", "edited", "delivery-state", "reactions", "send-error"];

/** What the text of a row was made of. @type {WeakMap<Element, string>} */
const drawn = new WeakMap();

/**
 * @typedef {object} Context
 * @property {import("../room.js").Room} room
 * @property {import("./template-refs.js").TemplateRefs} refs
 * @property {import("../names.js").Names} names
 */

/** @param {import("../log.js").Entry} entry @param {Context} context @returns {HTMLElement} */
export function makeLine(entry, { refs }) {
  return entry.notice ? refs.copy("notice") : make("li", { class: "message", part: "message", tabindex: "-1" });
}

/** Updates a row to its entry. @param {HTMLElement} line @param {import("../log.js").Entry} entry @param {boolean} first of its group @param {Context} context */
export function fillLine(line, entry, first, context) {
  if (entry.notice) return write(line.firstElementChild, entry.notice.text);
  const { room } = context;
  const { state, own, seq } = entry;
  const blocked = !own && room.blocks(entry.author.id);
  const deleted = !!entry.deleted || blocked;
  const performed = deleted ? "" : action(entry.text);
  if (seq !== undefined && line.dataset.seq !== String(seq)) Object.assign(line, { id: `m${seq}` }).dataset.seq = seq;
  line.dataset.state = state;
  const marks = {
    first,
    own,
    deleted,
    whisper: state === "whisper",
    action: !!performed,
    jumbo: !deleted && !entry.reply && isEmoji(entry.text),
    "mentions-me": !deleted && !own && !!room.me && !!entry.mentions?.includes(room.me.id),
  };
  for (const [name, on] of Object.entries(marks)) line.classList.toggle(name, on);
  fillHead(line, entry, first, context);
  fillQuote(line, deleted ? undefined : entry.reply, room);
  const text = part(line, "text", true, () => make("div", { class: "text", part: "bubble", dir: "auto" }));
  if (blocked) say(text, t("message.blocked"));
  else if (deleted) say(text, t("log.deleted", { count: 1 }));
  else fillText(text, entry, performed, context);
  fillLength(line, deleted ? "" : entry.text);
  const edited = part(line, "edited", !deleted && entry.edited, () => make("span", { class: "edited" }, t("message.edited")));
  if (edited) edited.title = t("message.edited-at", { date: exact(new Date(entry.edited)) });
  fillReactions(line, entry, context);
  fillState(line, entry, room);
  for (const stop of line.querySelectorAll("a, button")) stop.tabIndex = -1;
}

/** What a screen reader says of a row that has the focus. @param {import("../log.js").Entry} entry @param {HTMLElement} line @returns {string} */
export function labelOf(entry, line) {
  const { own, author, state, edited, date } = entry;
  const name = own ? t("log.you") : author.name;
  const quoted = line.querySelector(".quote")?.ariaLabel;
  const notes = [edited && t("message.edited-note"), state === "whisper" && t("message.whisper"), line.querySelector(".delivery-state")?.ariaLabel];
  return [name, exact(new Date(date)), quoted, ...notes, line.querySelector(".text").textContent].filter(Boolean).join(", ");
}

/** Finds, makes or removes a part of a row. */
function part(line, name, wanted, create) {
  let found = null;
  let next = null;
  const place = PARTS.indexOf(name);
  for (const child of line.children) {
    const at = PARTS.indexOf(child.classList[0]);
    if (at === place) found = child;
    if (at > place || at < 0) {
      next = child;
      break;
    }
  }
  if (!wanted) {
    found?.remove();
    return null;
  }
  return found ?? line.insertBefore(create(), next);
}

/** The face, the name and the time of the first row of a group; the time in the gutter of the others. */
function fillHead(line, { author, own, date, state }, first, { room, refs }) {
  const avatar = part(line, "avatar", first, () => make("span", { class: "avatar", part: "avatar", "aria-hidden": "true" }));
  const byline = part(line, "byline", first, () => {
    const who = make("button", { class: "who", type: "button" }, make("bdi", { class: "author", part: "author" }));
    return make("p", { class: "byline" }, who, make("time"));
  });
  const gutter = part(line, "gutter", !first, () => make("time", { class: "gutter" }));
  if (first) {
    line.style.setProperty("--hue", room.people.hueOf(author.id));
    write(avatar, initials(author.name));
    const who = byline.firstElementChild;
    who.disabled = own;
    write(who.firstElementChild, author.name || t("message.deleted-person"));
    if (own) who.ariaLabel = t("log.you");
    else who.removeAttribute("aria-label");
    fillRoles(byline, room.people.rolesOf(author.id), refs);
    const note = byline.querySelector(".whisper-note");
    if (state !== "whisper") note?.remove();
    else if (!note) byline.append(make("span", { class: "whisper-note" }, t("message.whisper")));
  }
  const clock = gutter ?? byline.querySelector("time");
  if (clock.dateTime === date) return;
  clock.dateTime = date;
  clock.title = "";
  write(clock, time(new Date(date)));
}

/** Badges for the roles that the application gave the member. */
function fillRoles(byline, roles, refs) {
  const badges = [...byline.querySelectorAll(".role")];
  const names = roles.map(badgeName);
  if (badges.map(({ textContent }) => textContent).join("\n") === names.join("\n")) return;
  for (const badge of badges) badge.remove();
  byline.firstElementChild.after(
    ...names.map((name) => {
      const badge = refs.copy("role");
      badge.textContent = badge.title = name;
      return badge;
    }),
  );
}

/** Texts that are not the author's. */
function say(text, words) {
  drawn.delete(text);
  write(text, words);
}

/** The text with its links and mentions; “Ada waves” for an action, for the author too. */
function fillText(text, { text: words, mentions = [], author }, performed, { room, refs, names }) {
  const known = mentions.flatMap((id) => names.everOf(id));
  const mine = room.me && mentions.includes(room.me.id) ? [...names.everOf(room.me.id).map((name) => name.toLowerCase()), HERE] : [];
  const key = JSON.stringify([words, performed && author.name, known, mine]);
  if (drawn.get(text) === key) return;
  drawn.set(text, key);
  const options = { names: known.length ? [...known, HERE] : [], mine, plain: refs.plain };
  if (performed) text.replaceChildren(make("bdi", { class: "actor" }, author.name), " ", ...renderText(performed, options));
  else text.replaceChildren(...renderText(words, options));
}

/** A long text is collapsed, with a button that shows all of it. */
function fillLength(line, text) {
  const long = text.length > LONG || (text.length > LONG_LINES && text.split("\n", LONG_LINES + 1).length > LONG_LINES);
  const button = part(line, "show-more", long, () => make("button", { class: "show-more link", type: "button", "aria-expanded": "false" }, t("message.show-more")));
  line.classList.toggle("collapsed", long && button.ariaExpanded !== "true");
}

/** Shows all of a long text, or its beginning. @param {HTMLElement} line @param {HTMLElement} button */
export function toggleLength(line, button) {
  const open = button.ariaExpanded !== "true";
  button.ariaExpanded = String(open);
  write(button, t(open ? "message.less" : "message.show-more"));
  line.classList.toggle("collapsed", !open);
}

function fillQuote(line, reply, room) {
  const quote = part(line, "quote", reply, () => make("button", { class: "quote", type: "button" }, make("bdi", { class: "quote-author" }), " ", make("span", { class: "quote-text", dir: "auto" })));
  if (!quote) return;
  // Prefer the original in the log: a reply must not show a text that was deleted or edited.
  const original = room.log.find(reply.seq);
  const author = original?.own ? t("log.you") : (original?.author.name ?? reply.author ?? "");
  const text = original?.deleted ? t("log.deleted", { count: 1 }) : (original?.text ?? reply.text ?? "");
  write(quote.querySelector(".quote-author"), author);
  write(quote.querySelector(".quote-text"), text);
  quote.ariaLabel = t("message.reply-to", { name: author, text });
}

function fillReactions(line, { reactions = {}, seq }, { room, names }) {
  const chosen = Object.entries(reactions);
  const list = part(line, "reactions", chosen.length, () => make("ul", { class: "reactions", "aria-label": t("message.reactions") }));
  if (!list) return;
  const rows = new Map([...list.children].map((row) => [row.firstElementChild.dataset.emoji, row]));
  const wanted = chosen.map(([emoji, ids]) => {
    const row = rows.get(emoji) ?? make("li", {}, make("button", { class: "reaction", type: "button", "data-emoji": emoji }, make("span", { class: "emoji" }, emoji), make("span", { class: "count" })));
    const button = row.firstElementChild;
    button.ariaPressed = String(ids.includes(room.me?.id));
    write(button.lastElementChild, number(ids.length));
    button.title = namesOf(ids, room, names);
    button.ariaLabel = t("message.reaction", { emoji, count: ids.length, names: button.title });
    button.disabled = seq === undefined || !room.me || !room.may("react");
    return row;
  });
  // Change only what differs: a replaced button would lose the focus.
  for (const row of rows.values()) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, at) => list.children[at] === row || list.insertBefore(row, list.children[at] ?? null));
}

/** The names of these members; a number for those who are unknown. */
function namesOf(ids, room, names) {
  const known = ids.filter((id) => id === room.me?.id || names.of(id)).slice(0, 20);
  const more = ids.length - known.length;
  const listed = known.map((id) => (id === room.me?.id ? t("log.you") : names.of(id)));
  if (more) listed.push(t(known.length ? "message.more-people" : "message.people", { count: more }));
  return list(listed, { type: "unit" });
}

/** What became of an own message that is not stored. */
function fillState(line, { own, state, error }, room) {
  const pending = { live: "pending", refused: "failed", closed: "failed" }[room.state.name] ?? "waiting";
  const words = own && state !== "sent" && t(`message.state.${state === "pending" ? pending : state}`);
  const mark = part(line, "delivery-state", words, () => make("span", { class: "delivery-state", role: "img" }));
  if (mark) mark.ariaLabel = mark.title = words;
  const reason = own && (state === "held" ? t("message.held") : error && t(state === "failed" ? "message.failed" : "message.waiting", { reason: error.text }));
  const note = part(line, "send-error", reason, () => make("p", { class: "send-error" }, make("span", { class: "send-error-text" })));
  if (!note) return;
  write(note.firstElementChild, reason);
  if (state !== "failed") note.querySelector(".send-error-actions")?.remove();
  else if (note.childElementCount < 2) {
    note.append(" ", make("span", { class: "send-error-actions" }, make("button", { class: "link retry", type: "button" }, t("message.retry")), " ", make("button", { class: "link discard", type: "button" }, t("message.discard"))));
  }
}

const EMOJI = /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*(?:\u200d\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*)*)\s?){1,3}$/u;

/** Whether the text is one to three emoji, which are shown large. */
function isEmoji(text) {
  return text.length <= 40 && EMOJI.test(text);
}
