/** One line of the conversation: a message or a notice. Texts of users become text nodes and links, never markup. */

import { action } from "../action.js";
import { initials } from "../colour.js";
import { HERE } from "../mentions.js";
import { exact, relative } from "../time.js";
import { renderText } from "../writing/render.js";
import { write } from "./template-refs.js";
import { fillRoles } from "./roles.js";

const HELD = "Only you see this message until a moderator approves it.";

/** @param {import("../log.js").Entry} entry @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs @returns {HTMLElement} */
export function makeLine(entry, room, refs) {
  const line = refs.copy(entry.notice ? "notice" : "message");
  fillLine(line, entry, room, refs);
  return line;
}

/** Updates the line to its entry. @param {HTMLElement} line @param {import("../log.js").Entry} entry @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function fillLine(line, entry, room, refs) {
  if (entry.notice) {
    write(line.firstElementChild, entry.notice.text);
    return;
  }
  const { author, state, own, error } = entry;
  const blocked = !own && room.blocks(author.id);
  const deleted = entry.deleted || blocked;
  const date = new Date(entry.date);
  line.dataset.state = state;
  line.classList.toggle("own", own);
  line.classList.toggle("deleted", !!deleted);
  line.classList.toggle("whisper", state === "whisper");
  line.classList.toggle("mentions-me", !deleted && !own && !!room.me && !!entry.mentions?.includes(room.me.id));
  line.querySelector(".whisper-note").hidden = state !== "whisper";
  line.style.setProperty("--hue", room.people.hueOf(author.id));
  write(line.querySelector(".avatar"), initials(author.name));
  write(line.querySelector(".author"), own ? "You" : author.name || "Deleted person");
  fillRoles(line.querySelector(".author"), room.people.rolesOf(author.id), refs);
  const time = line.querySelector("time");
  time.dateTime = entry.date;
  time.title = exact(date);
  write(time, relative(date, new Date()));
  const text = line.querySelector(".text");
  const performed = deleted ? "" : action(entry.text);
  line.classList.toggle("action", !!performed);
  if (deleted) {
    drawn.delete(text);
    write(text, blocked ? "Message of a person whom you block" : "Message deleted");
  }
  else if (performed) fillAction(text, author.name, performed, refs);
  else fillText(text, entry, room, refs);
  line.classList.toggle("jumbo", !deleted && !entry.reply && isEmoji(entry.text));
  fillQuote(line.querySelector(".quote"), deleted ? undefined : entry.reply, room);
  const edited = line.querySelector(".edited");
  edited.hidden = !entry.edited;
  if (entry.edited) edited.title = `Edited ${exact(new Date(entry.edited))}`;
  fillReactions(line.querySelector(".reactions"), entry, room, refs);
  if (!own) return;
  line.setAttribute("aria-live", "off");
  const waiting = { live: "Sending", refused: "Not sent", closed: "Not sent" }[room.state.name] ?? "Waiting to be sent";
  write(line.querySelector(".delivery-state-text"), { sent: "Sent", pending: waiting, held: "Waiting for a moderator", failed: "Not sent" }[state]);
  const sendError = line.querySelector(".send-error");
  sendError.hidden = !error && state !== "held";
  write(line.querySelector(".send-error-text"), state === "held" ? HELD : error ? (state === "failed" ? `Not sent. ${error.text}` : `Waiting. ${error.text}`) : "");
}

/** What the texts of lines show. @type {WeakMap<Element, string>} */
const drawn = new WeakMap();

/** The text with Markdown and links, and with marks on the names that it mentions. */
function fillText(text, { text: words, mentions = [] }, room, refs) {
  const names = mentions.length ? namesByIds(room) : undefined;
  const known = mentions.flatMap((id) => names.get(id) ?? []);
  const key = JSON.stringify([words, known]);
  if (drawn.get(text) === key) return;
  drawn.set(text, key);
  const mine = mentions.includes(room.me?.id) ? [room.me.name.toLowerCase(), HERE] : [];
  text.replaceChildren(...renderText(words, { names: known.length ? [...known, HERE] : [], mine, plain: refs.plain }));
}

/** The names of members who are in the room or in the log, by their ids. */
function namesByIds(room) {
  const names = new Map(room.log.entries.filter(({ author }) => author).map(({ author }) => [author.id, author.name]));
  for (const { id, name } of room.people.members) names.set(id, name);
  if (room.me) names.set(room.me.id, room.me.name);
  return names;
}

/** “Ada waves”, for the author too. */
function fillAction(text, name, performed, refs) {
  const key = JSON.stringify([name, performed]);
  if (drawn.get(text) === key) return;
  drawn.set(text, key);
  const actor = document.createElement("bdi");
  actor.className = "actor";
  actor.textContent = name;
  text.replaceChildren(actor, " ", ...renderText(performed, { plain: refs.plain }));
}

function fillQuote(quote, reply, room) {
  quote.hidden = !reply;
  if (!reply) return;
  // Prefer the original in the log: a reply must not show a text that was deleted or edited.
  const original = room.log.find(reply.seq);
  const author = original?.own ? "You" : (original?.author.name ?? reply.author ?? "");
  write(quote.querySelector(".quote-author"), author);
  write(quote.querySelector(".quote-text"), original?.deleted ? "Message deleted" : (original?.text ?? reply.text ?? ""));
}

function fillReactions(list, { reactions = {}, seq }, room, refs) {
  const chosen = Object.entries(reactions);
  list.hidden = !chosen.length;
  const rows = new Map([...list.children].map((row) => [row.firstElementChild.dataset.emoji, row]));
  const wanted = chosen.map(([emoji, ids]) => {
    const row = rows.get(emoji) ?? refs.copy("reaction");
    const button = row.firstElementChild;
    const mine = ids.includes(room.me?.id);
    button.dataset.emoji = emoji;
    button.setAttribute("aria-pressed", String(mine));
    write(button.querySelector(".emoji"), emoji);
    write(button.querySelector(".count"), String(ids.length));
    const names = namesOf(ids, room);
    button.title = names;
    button.setAttribute("aria-label", `${emoji} ${ids.length}: ${names}`);
    button.disabled = seq === undefined || !room.me || !room.may("react");
    return row;
  });
  // Change only what differs: a replaced button would lose the focus.
  for (const row of rows.values()) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, at) => list.children[at] === row || list.insertBefore(row, list.children[at] ?? null));
}

/** The names of these members; a number for those who are unknown. */
function namesOf(ids, room) {
  const names = namesByIds(room);
  if (room.me) names.set(room.me.id, "You");
  const known = ids.filter((id) => names.has(id)).slice(0, 20);
  const more = ids.length - known.length;
  const listed = known.map((id) => names.get(id));
  if (more) listed.push(known.length ? `${more} more` : more === 1 ? "1 person" : `${more} people`);
  return listed.join(", ");
}

const EMOJI = /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*(?:\u200d\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*)*)\s?){1,3}$/u;

/** Whether the text is one to three emoji, which are shown large. */
function isEmoji(text) {
  return text.length <= 40 && EMOJI.test(text);
}
