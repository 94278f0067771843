/** Shows the log: lines for messages, notices, days and gaps. */

import { GONE } from "../room.js";
import { day, dayKey, relative } from "../time.js";
import { fillLine, makeLine } from "./line.js";
import { historyLoader } from "./history-loader.js";
import { reading } from "./reading.js";
import { write } from "./template-refs.js";

/** Maximum milliseconds between two messages under one name. */
const MAX_PAUSE = 5 * 60_000;
/** Maximum lines on the page; more would make a phone slow. */
const MAX_LINES = 600;
/** Maximum while the user reads further up, where removing lines could move the text. */
const MAX_LINES_READING = 3000;
/** Lines below the reading position, and at the end, that are kept then. */
const BELOW = 1000;
const TAIL = 100;
const REFRESH_INTERVAL = 15_000;
/** The messages that can have the focus. */
const SHOWN = ".message:not(.folded)";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("./scroll.js").Scroll} scroll
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} showPerson called for a click on a name
 */
export function messages(room, refs, scroll, showPerson) {
  const list = refs.find("messages", "ol");
  const live = refs.find("log");
  const empty = refs.find("empty");
  const origin = refs.find("origin");
  const gaps = historyLoader(room, refs, scroll);
  const read = reading(room, refs, scroll, schedule);
  const lines = new WeakMap();
  const entries = new WeakMap();
  let days = new Map();
  let stale = new Set();
  let scheduled = false;
  let roles = room.people.roles;
  /** The line that Tab focuses; the arrow keys move to the others. */
  let current = null;

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    // A hidden page gets no animation frames and must keep up, too.
    if (document.hidden) setTimeout(draw, 500);
    else requestAnimationFrame(draw);
  }

  function draw() {
    scheduled = false;
    shorten();
    const missing = gaps.lines();
    const wanted = [];
    const daysNow = new Map();
    const now = new Date();
    let before = null;
    let newLine = null;
    let folded = [];
    for (const entry of room.log.entries) {
      const date = new Date(entry.date);
      const key = dayKey(date);
      if (entry.notice && !entry.notice.text) continue;
      if (missing.length && (entry.seq ?? Infinity) >= missing[0].to) {
        wanted.push(missing.shift().line);
        before = null;
      }
      if (!daysNow.has(key)) {
        daysNow.set(key, days.get(key) ?? dayLine(date, now, refs));
        wanted.push(daysNow.get(key));
        before = null;
      }
      if (!newLine && (newLine = read.lineBefore(entry))) {
        wanted.push(newLine);
        before = null;
      }
      const line = lines.get(entry) ?? add(entry);
      if (stale.has(entry)) fillLine(line, entry, room, refs);
      const goesOn = !!before && !entry.notice && before.author?.id === entry.author.id && before.own === entry.own && before.state !== "whisper" && entry.state !== "whisper" && !entry.reply && date - new Date(before.date) < MAX_PAUSE;
      line.classList.toggle("goes-on", goesOn);
      const deleted = entry.deleted && !room.blocks(entry.author.id);
      if (!goesOn || !deleted) {
        tellDeleted(folded);
        folded = [];
      }
      line.classList.toggle("folded", folded.length > 0);
      if (deleted) folded.push(line);
      wanted.push(line);
      before = entry.notice ? null : entry;
    }
    tellDeleted(folded);
    wanted.push(...missing.map(({ line }) => line));
    stale = new Set();
    days = daysNow;
    place(wanted);
    // Tab from the message box focuses the newest line. If the focus is in the list, it stays.
    if (!current?.isConnected || !list.contains(refs.active)) setTabStop(wanted.findLast((line) => line.matches(SHOWN)) ?? null);
    const gone = room.state.name === "refused" && GONE.has(room.state.code);
    empty.hidden = !room.about || gone || room.log.gaps.open || room.log.entries.some((entry) => !entry.notice);
    list.hidden = !empty.hidden;
    origin.hidden = !room.about || gone || !empty.hidden || room.log.gaps.open;
    scroll.settle();
    read.drawn((line) => entries.get(line));
    // A screen reader must not read the first messages as new.
    if (room.about && live.ariaBusy === "true") setTimeout(() => (live.ariaBusy = "false"), 100);
  }

  /** Removes lines if there are too many: the oldest, or those furthest below the reading position. */
  function shorten() {
    const { log } = room;
    if (log.entries.length <= (scroll.following ? MAX_LINES : MAX_LINES_READING)) return;
    const read = scroll.following ? -1 : log.entries.findIndex((entry) => lines.get(entry) === scroll.line);
    const end = log.entries.findLastIndex(({ seq }) => seq !== undefined) + 1 - TAIL;
    if (read >= 0 && read + BELOW < end) log.cut(read + BELOW, end);
    else log.trim(scroll.following ? MAX_LINES : MAX_LINES_READING);
  }

  /** Puts the lines in order without touching those in the right place. */
  function place(wanted) {
    const keep = new Set(wanted);
    for (const line of [...list.children]) if (!keep.has(line)) line.remove();
    let at = list.firstElementChild;
    for (const line of wanted) {
      if (line === at) at = at.nextElementSibling;
      else list.insertBefore(line, at);
    }
  }

  function add(entry) {
    const line = makeLine(entry, room, refs);
    const who = line.querySelector(".who");
    if (who) who.disabled = entry.own;
    lines.set(entry, line);
    entries.set(line, entry);
    return line;
  }

  function setTabStop(line) {
    if (line === current) return;
    current?.setAttribute("tabindex", "-1");
    current = line;
    current?.setAttribute("tabindex", "0");
  }

  /**
   * Scrolls to message number `seq`. Fetches it if necessary.
   * @param {number} seq
   * @param {() => void} [before] called when the message is fetched, before it is shown
   * @returns {Promise<boolean>} whether the message exists
   */
  async function reveal(seq, before) {
    const entry = await room.find(seq);
    if (!entry) return false;
    before?.();
    scroll.leaveEnd();
    if (!lines.get(entry)?.isConnected) draw();
    let line = lines.get(entry);
    while (line.matches(".folded")) line = line.previousElementSibling;
    scroll.to(line);
    line.focus({ preventScroll: true });
    line.classList.remove("found");
    // Forces a layout, so that a running animation restarts.
    void line.offsetWidth;
    line.classList.add("found");
    line.addEventListener("animationend", () => line.classList.remove("found"), { once: true });
    return true;
  }

  function refresh() {
    const now = new Date();
    for (const time of list.querySelectorAll(".byline time")) write(time, relative(new Date(time.dateTime), now));
    for (const [key, line] of days) write(line.firstElementChild, day(new Date(`${key}T12:00`), now));
  }

  list.addEventListener("click", ({ target }) => {
    const button = target.closest("button");
    const line = target.closest(".message");
    const entry = line && entries.get(line);
    if (entry?.author && !entry.own && target.closest(".who, .avatar")) {
      showPerson(entry.author, target.closest(".who, .avatar"));
      return;
    }
    if (!button || !entry) return;
    if (button.matches(".retry")) room.retry(entry.id).catch(() => {});
    if (button.matches(".discard")) room.discard(entry.id);
    if (button.matches(".quote")) reveal(entry.reply.seq).then((found) => (button.disabled = !found), () => {});
    if (button.matches(".reaction")) {
      room.react(entry.seq, button.dataset.emoji, button.getAttribute("aria-pressed") !== "true").catch(() => {});
    }
  });
  list.addEventListener("focusin", ({ target }) => setTabStop(target.closest(".message") ?? current));
  list.addEventListener("keydown", (event) => {
    const step = { ArrowUp: "previousElementSibling", ArrowDown: "nextElementSibling" }[event.key];
    if (!step || event.target !== current) return;
    let line = current[step];
    while (line && !line.matches(SHOWN)) line = line[step];
    if (!line) return;
    event.preventDefault();
    line.focus();
  });

  room.on("log", ({ kind, entry }) => {
    if (kind === "reset") stale = new Set(room.log.entries);
    else if (kind === "more") live.ariaBusy = "true";
    else stale.add(entry);
    if (kind === "change" && (entry.deleted || entry.edited)) {
      for (const one of room.log.entries) if (one.reply?.seq === entry.seq) stale.add(one);
    }
    if (kind === "add" && entry.own && entry.state === "pending") scroll.toEnd();
    if (kind === "add" && !entry.own && !entry.notice) scroll.miss(1);
    schedule();
  });
  for (const event of ["welcome", "state", "me", "access"]) {
    room.on(event, () => {
      for (const entry of room.log.entries) if (entry.state !== "sent" || entry.reactions || entry.mentions) stale.add(entry);
      schedule();
    });
  }
  room.on("people", () => {
    // Joins and leaves are frequent in a busy room; changes of roles are rare.
    const now = room.people.roles;
    if (now === roles) return;
    roles = now;
    for (const entry of room.log.entries) if (entry.author) stale.add(entry);
    schedule();
  });
  refs.every(REFRESH_INTERVAL, refresh);
  refs.listen(document, "visibilitychange", () => document.hidden || refresh());
  schedule();

  return {
    reveal,
    entryOf: (line) => entries.get(line),
    /** The user comes back to the room. */
    placeNewLine() {
      read.place();
      schedule();
    },
    /** Draws all messages again. */
    refresh() {
      stale = new Set(room.log.entries);
      schedule();
    },
  };
}

/** Deleted messages of one person in a row are one line, so that what was deleted hides nothing else. */
function tellDeleted([first, ...others]) {
  if (first) write(first.querySelector(".text"), others.length ? `${others.length + 1} messages deleted` : "Message deleted");
}

function dayLine(date, now, refs) {
  const line = refs.copy("day");
  const time = line.firstElementChild;
  time.dateTime = dayKey(date);
  time.textContent = day(date, now);
  return line;
}
