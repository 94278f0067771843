/** Shows the log: lines for messages, comings and goings, and days. What the lines are is up to log.js. */

import { hue, initials } from "../colour.js";
import { pieces } from "../links.js";
import { day, dayKey, exact, relative } from "../time.js";
import { copy, part, write } from "./parts.js";

/** Milliseconds between two messages that still stand together under one name. */
const TOGETHER = 5 * 60_000;
/** Lines on the page; more would make a phone slow. */
const LINES = 600;
/** While somebody reads further up, where taking lines away would pull at what they read. */
const MOST_LINES = 3000;
const FRESHEN_EVERY = 15_000;

/** @param {import("../room.js").Room} room @param {import("./scroll.js").Scroll} scroll */
export function messages(room, scroll) {
  const list = part("messages", "ol");
  const live = part("log");
  const empty = part("empty");
  const origin = part("origin");
  const lines = new WeakMap();
  let days = new Map();
  let stale = new Set();
  let planned = false;

  function plan() {
    if (planned) return;
    planned = true;
    // A hidden page gets no frames, and still has to keep up.
    if (document.hidden) setTimeout(draw, 500);
    else requestAnimationFrame(draw);
  }

  function draw() {
    planned = false;
    const many = scroll.following ? LINES : MOST_LINES;
    if (room.log.entries.length > many) room.log.trim(many);
    const wanted = [];
    const daysNow = new Map();
    const now = new Date();
    let before = null;
    for (const entry of room.log.entries) {
      const date = new Date(entry.date);
      const key = dayKey(date);
      if (entry.notice && !entry.notice.text) continue;
      if (!daysNow.has(key)) {
        daysNow.set(key, days.get(key) ?? dayLine(date, now));
        wanted.push(daysNow.get(key));
        before = null;
      }
      const line = lines.get(entry) ?? makeLine(entry);
      if (stale.has(entry)) fill(line, entry);
      const goesOn = !!before && !entry.notice && before.author?.id === entry.author.id && before.own === entry.own && date - new Date(before.date) < TOGETHER;
      line.classList.toggle("goes-on", goesOn);
      wanted.push(line);
      before = entry.notice ? null : entry;
    }
    stale = new Set();
    days = daysNow;
    place(wanted);
    const first = room.log.entries.find((entry) => entry.seq !== undefined);
    empty.hidden = !room.about || room.log.entries.some((entry) => !entry.notice);
    list.hidden = !empty.hidden;
    origin.hidden = first?.seq !== 1;
    scroll.settle();
    // What was there before is not news to a screen reader.
    if (room.about && live.ariaBusy === "true") setTimeout(() => (live.ariaBusy = "false"), 100);
  }

  /** Puts the lines in their order, and touches none that stands right. */
  function place(wanted) {
    const keep = new Set(wanted);
    for (const line of [...list.children]) if (!keep.has(line)) line.remove();
    let at = list.firstElementChild;
    for (const line of wanted) {
      if (line === at) at = at.nextElementSibling;
      else list.insertBefore(line, at);
    }
  }

  function makeLine(entry) {
    const line = copy(entry.notice ? "notice" : "message");
    lines.set(entry, line);
    fill(line, entry);
    if (entry.own) {
      line.querySelector(".retry").addEventListener("click", () => room.retry(entry.id).catch(() => {}));
      line.querySelector(".discard").addEventListener("click", () => room.discard(entry.id));
    }
    return line;
  }

  function fill(line, entry) {
    if (entry.notice) {
      write(line.firstElementChild, entry.notice.text);
      return;
    }
    const { author, state, own, error } = entry;
    const date = new Date(entry.date);
    line.dataset.state = state;
    line.classList.toggle("own", own);
    line.style.setProperty("--hue", hue(author.id));
    write(line.querySelector(".avatar"), initials(author.name));
    write(line.querySelector(".author"), own ? "You" : author.name);
    const time = line.querySelector("time");
    time.dateTime = entry.date;
    time.title = exact(date);
    write(time, relative(date, new Date()));
    const text = line.querySelector(".text");
    if (text.textContent !== entry.text) text.replaceChildren(...linked(entry.text));
    line.classList.toggle("jumbo", isEmoji(entry.text));
    if (!own) return;
    line.setAttribute("aria-live", "off");
    const offline = room.state.name !== "live";
    write(line.querySelector(".fate-text"), { sent: "Sent", pending: offline ? "Waiting to be sent" : "Sending", failed: "Not sent" }[state]);
    const trouble = line.querySelector(".trouble");
    trouble.hidden = !error;
    write(line.querySelector(".trouble-text"), error ? (state === "failed" ? `Not sent. ${error.text}` : `Waiting. ${error.text}`) : "");
  }

  function freshen() {
    const now = new Date();
    for (const time of list.querySelectorAll(".byline time")) write(time, relative(new Date(time.dateTime), now));
    for (const [key, line] of days) write(line.firstElementChild, day(new Date(`${key}T12:00`), now));
  }

  room.on("log", ({ kind, entry }) => {
    if (kind === "reset") stale = new Set(room.log.entries);
    else stale.add(entry);
    if (kind === "add" && entry.own && entry.state === "pending") scroll.toEnd();
    if (kind === "add" && !entry.own && !entry.notice) scroll.miss(1);
    plan();
  });
  for (const event of ["welcome", "state", "me"]) {
    room.on(event, () => {
      for (const entry of room.log.entries) if (entry.state !== "sent") stale.add(entry);
      plan();
    });
  }
  setInterval(freshen, FRESHEN_EVERY);
  document.addEventListener("visibilitychange", () => document.hidden || freshen());
  plan();
}

function dayLine(date, now) {
  const line = copy("day");
  const time = line.firstElementChild;
  time.dateTime = dayKey(date);
  time.textContent = day(date, now);
  return line;
}

/** Text and links, as nodes; never markup. */
function linked(text) {
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
