/** One line of the conversation: a message as nodes. What people wrote is text and links here, never markup. */

import { action } from "../action.js";
import { hue, initials } from "../colour.js";
import { pieces } from "../links.js";
import { exact, relative } from "../time.js";
import { write } from "./template-refs.js";
import { fillRoles } from "./roles.js";

/** @param {import("../log.js").Entry} entry @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs @returns {HTMLElement} */
export function makeLine(entry, room, refs) {
  const line = refs.copy(entry.notice ? "notice" : "message");
  fillLine(line, entry, room, refs);
  return line;
}

/** Shows the entry as it is now. @param {HTMLElement} line @param {import("../log.js").Entry} entry @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function fillLine(line, entry, room, refs) {
  if (entry.notice) {
    write(line.firstElementChild, entry.notice.text);
    return;
  }
  const { author, state, own, error, deleted } = entry;
  const date = new Date(entry.date);
  line.dataset.state = state;
  line.classList.toggle("own", own);
  line.classList.toggle("deleted", !!deleted);
  line.style.setProperty("--hue", hue(author.id));
  write(line.querySelector(".avatar"), initials(author.name));
  write(line.querySelector(".author"), own ? "You" : author.name);
  fillRoles(line.querySelector(".author"), room.people.rolesOf(author.id), refs);
  const time = line.querySelector("time");
  time.dateTime = entry.date;
  time.title = exact(date);
  write(time, relative(date, new Date()));
  const text = line.querySelector(".text");
  const does = deleted ? "" : action(entry.text);
  line.classList.toggle("action", !!does);
  if (deleted) write(text, "Message deleted");
  else if (does) fillAction(text, author.name, does);
  else if (text.textContent !== entry.text || text.querySelector(".actor")) text.replaceChildren(...linked(entry.text));
  line.classList.toggle("jumbo", !deleted && !entry.reply && isEmoji(entry.text));
  fillQuote(line.querySelector(".quote"), deleted ? undefined : entry.reply, room);
  const edited = line.querySelector(".edited");
  edited.hidden = !entry.edited;
  if (entry.edited) edited.title = `Edited ${exact(new Date(entry.edited))}`;
  fillReactions(line.querySelector(".reactions"), entry, room, refs);
  if (!own) return;
  line.setAttribute("aria-live", "off");
  const waiting = { live: "Sending", refused: "Not sent", closed: "Not sent" }[room.state.name] ?? "Waiting to be sent";
  write(line.querySelector(".delivery-state-text"), { sent: "Sent", pending: waiting, failed: "Not sent" }[state]);
  const sendError = line.querySelector(".send-error");
  sendError.hidden = !error;
  write(line.querySelector(".send-error-text"), error ? (state === "failed" ? `Not sent. ${error.text}` : `Waiting. ${error.text}`) : "");
}

/** “Ada waves”, for the author too: it is how everyone reads it. */
function fillAction(text, name, does) {
  if (text.firstElementChild?.matches(".actor") && text.textContent === `${name} ${does}`) return;
  const actor = document.createElement("bdi");
  actor.className = "actor";
  actor.textContent = name;
  text.replaceChildren(actor, " ", ...linked(does));
}

function fillQuote(quote, reply, room) {
  quote.hidden = !reply;
  if (!reply) return;
  // As it stands where we have it: what was deleted is not kept alive by those who answered it.
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
    const who = namesOf(ids, room);
    button.title = who;
    button.setAttribute("aria-label", `${emoji} ${ids.length}: ${who}`);
    button.disabled = seq === undefined || !room.me;
    return row;
  });
  // Only what differs, or the focus would be lost at each change.
  for (const row of rows.values()) if (!wanted.includes(row)) row.remove();
  wanted.forEach((row, at) => list.children[at] === row || list.insertBefore(row, list.children[at] ?? null));
}

/** Names where they are known: of those who are here, or have said something. */
function namesOf(ids, room) {
  const names = new Map(room.log.entries.filter(({ author }) => author).map(({ author }) => [author.id, author.name]));
  for (const { id, name } of room.people.members) names.set(id, name);
  if (room.me) names.set(room.me.id, "You");
  const known = ids.filter((id) => names.has(id)).slice(0, 20);
  const more = ids.length - known.length;
  const told = known.map((id) => names.get(id));
  if (more) told.push(known.length ? `${more} more` : more === 1 ? "1 person" : `${more} people`);
  return told.join(", ");
}

/** Text and links, as nodes. @param {string} text @returns {Node[]} */
export function linked(text) {
  return pieces(text).map((piece) => {
    if (!piece.href) return document.createTextNode(piece.text);
    const link = document.createElement("a");
    link.href = piece.href;
    link.rel = "noopener noreferrer nofollow";
    link.target = "_blank";
    link.textContent = piece.text;
    return link;
  });
}

const EMOJI = /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*(?:\u200d\p{Extended_Pictographic}[\p{Emoji_Modifier}\ufe0f]*)*)\s?){1,3}$/u;

/** One to three emoji and nothing else are shown large. */
function isEmoji(text) {
  return text.length <= 40 && EMOJI.test(text);
}
