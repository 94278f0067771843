/** Shows the log: rows for messages, notices, days and gaps. */

import { Names } from "../names.js";
import { GONE } from "../room.js";
import { dayKey } from "../time.js";
import { day, exact, t } from "../words.js";
import { drawing } from "./drawing.js";
import { historyLoader } from "./history-loader.js";
import { fillLine, makeLine, toggleLength } from "./line.js";
import { logKeys } from "./log-keys.js";
import { LogWindow } from "./log-window.js";
import { newAbove } from "./new-above.js";
import { reading } from "./reading.js";
import { write } from "./template-refs.js";

/** Maximum milliseconds between two messages under one name. */
const MAX_PAUSE = 5 * 60_000;
/** Maximum entries that the log keeps. */
const MAX_ENTRIES = 600;
/** Maximum while the user reads further up, where removing rows could move the text. */
const MAX_ENTRIES_READING = 3000;
/** Entries below the reading position, and at the end, that are kept then. */
const BELOW = 1000;
const TAIL = 100;
/** Milliseconds: how often the names of the days are checked. */
const REFRESH_INTERVAL = 60_000;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("./scroll.js").Scroll} scroll
 * @param {object} options
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} options.showPerson called for a click on a name
 * @param {() => void} options.write takes the user to the message box
 */
export function messages(room, refs, scroll, { showPerson, write: toBox }) {
  const list = refs.find("messages", "ol");
  const empty = refs.find("empty");
  const origin = refs.find("origin");
  const schedule = drawing(draw);
  const gaps = historyLoader(room, refs, scroll);
  const read = reading(room, refs, scroll, schedule);
  const shown = new LogWindow();
  const lines = new WeakMap();
  const entries = new WeakMap();
  const entryOf = (line) => entries.get(line);
  const keys = logKeys(list, refs, { entryOf, around, more, toNewest, leave: toBox });
  const above = newAbove(refs, { scroll, read, reveal: (entry) => reveal(entry.seq) });
  let days = new Map();
  let stale = new Set();
  let roles = room.people.roles;
  let printing = false;

  function draw() {
    shorten();
    const { entries: all } = room.log;
    const [start, end] = printing ? [0, all.length] : shown.range(all, scroll.following);
    const context = { room, refs, names: new Names(room) };
    const daysNow = new Map();
    const now = new Date();
    const firstNew = read.firstNew();
    const wanted = [];
    const held = keys.row;
    let before = start > 0 ? all[start - 1] : null;
    if (before) daysNow.set(dayKey(new Date(before.date)), null);
    const known = all.slice(0, start).findLast(({ seq }) => seq !== undefined)?.seq ?? 0;
    const missing = gaps.lines().filter(({ to }) => to > known);
    if (before?.notice) before = null;
    let folded = [];
    for (const entry of all.slice(start, end)) {
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
      if (entry === firstNew) {
        wanted.push(read.line);
        before = null;
      }
      const goesOn = !!before && !entry.notice && before.author?.id === entry.author.id && before.own === entry.own && before.state !== "whisper" && entry.state !== "whisper" && !entry.reply && date - new Date(before.date) < MAX_PAUSE;
      const line = lines.get(entry) ?? add(entry, context);
      if (stale.delete(entry) || line.classList.contains("first") === goesOn) fillLine(line, entry, !goesOn, context);
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
    // What is not drawn has no row, or has left the log.
    stale.clear();
    if (!shown.below) wanted.push(...missing.map(({ line }) => line));
    days = daysNow;
    place(wanted, held);
    keys.drawn(held);
    const gone = room.state.name === "refused" && GONE.has(room.state.code);
    empty.hidden = !room.about || gone || room.log.gaps.open || all.some((entry) => !entry.notice);
    list.hidden = !empty.hidden;
    origin.hidden = !room.about || gone || !empty.hidden || room.log.gaps.open || shown.above;
    scroll.cut = shown.below;
    scroll.settle();
    read.drawn(entryOf);
    above.show();
    more();
  }

  /** Draws more rows if the reading position comes near the edge of what is drawn. */
  function more(edge = nearEdge()) {
    if (!edge || !shown[edge]) return;
    shown.extend(room.log.entries, edge);
    schedule(true);
  }

  function nearEdge() {
    if (scroll.following) return undefined;
    return shown.above && scroll.nearTop ? "above" : shown.below && scroll.nearBottom ? "below" : undefined;
  }

  /** Removes entries if there are too many: the oldest, or those furthest below the reading position. */
  function shorten() {
    const { log } = room;
    if (log.entries.length <= (scroll.following ? MAX_ENTRIES : MAX_ENTRIES_READING)) return;
    const at = scroll.following ? -1 : log.entries.findIndex((entry) => lines.get(entry) === scroll.line);
    const end = log.entries.findLastIndex(({ seq }) => seq !== undefined) + 1 - TAIL;
    if (at >= 0 && at + BELOW < end) log.cut(at + BELOW, end);
    else log.trim(scroll.following ? MAX_ENTRIES : MAX_ENTRIES_READING);
  }

  /** Puts the rows in order without touching those in the right place. The row that has the focus stays. */
  function place(wanted, held) {
    const keep = new Set(wanted);
    if (held && !keep.has(held) && room.log.find(Number(held.dataset.seq)) === entries.get(held)) {
      keep.add(held);
      wanted.unshift(held);
    }
    for (const line of [...list.children]) {
      if (keep.has(line)) continue;
      line.remove();
      lines.delete(entries.get(line));
    }
    let at = list.firstElementChild;
    for (const line of wanted) {
      if (line === at) at = at.nextElementSibling;
      else list.insertBefore(line, at);
    }
  }

  function add(entry, context) {
    const line = makeLine(entry, context);
    lines.set(entry, line);
    entries.set(line, entry);
    stale.add(entry);
    return line;
  }

  /** Draws the neighbours of a row that kept the focus while others came. */
  function around(line) {
    if (!shown.include(room.log.entries, entries.get(line))) return;
    scroll.leaveEnd();
    draw();
  }

  /** Takes the user to the newest message. */
  function toNewest() {
    scroll.toEnd();
    draw();
    scroll.toEnd();
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
    shown.include(room.log.entries, entry);
    draw();
    let line = lines.get(entry);
    while (line.matches(".folded")) line = line.previousElementSibling;
    scroll.to(line);
    keys.focus(line);
    line.classList.remove("found");
    // Forces a layout, so that a running animation restarts.
    void line.offsetWidth;
    line.classList.add("found");
    line.addEventListener("animationend", () => line.classList.remove("found"), { once: true });
    return true;
  }

  function renew(isStale = () => true) {
    for (const entry of room.log.entries) if (isStale(entry)) stale.add(entry);
    schedule();
  }

  function refresh() {
    const now = new Date();
    for (const [key, line] of days) if (line) write(line.firstElementChild, day(new Date(`${key}T12:00`), now));
  }

  scroll.moved = () => {
    above.show();
    more();
  };
  scroll.toNewest = () => {
    toNewest();
    // The button is hidden now, so the focus must move.
    if (refs.mayFocus) toBox();
    else keys.focus(list.lastElementChild);
  };

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
    if (button.matches(".show-more")) toggleLength(line, button);
    if (button.matches(".quote")) reveal(entry.reply.seq).then((found) => (button.disabled = !found), () => {});
    if (button.matches(".reaction")) {
      room.react(entry.seq, button.dataset.emoji, button.getAttribute("aria-pressed") !== "true").catch(() => {});
    }
  });
  // Exact times are made when somebody looks.
  list.addEventListener("pointerover", ({ target }) => {
    if (target.matches("time")) target.title ||= exact(new Date(target.dateTime));
  });

  room.on("log", ({ kind, entry }) => {
    if (kind === "reset") stale = new Set(room.log.entries);
    else if (entry) stale.add(entry);
    if (kind === "change" && (entry.deleted || entry.edited)) {
      for (const one of room.log.entries) if (one.reply?.seq === entry.seq) stale.add(one);
    }
    if (kind === "add" && entry.own && entry.state === "pending") scroll.toEnd();
    if (kind === "add" && !entry.own && !entry.notice) scroll.miss(1);
    schedule(entry?.own);
  });
  for (const event of ["welcome", "state", "me", "access"]) {
    room.on(event, () => renew(({ state, reactions, mentions }) => state !== "sent" || reactions || mentions));
  }
  room.on("people", () => {
    // Joins and leaves are frequent in a busy room; changes of roles are rare. A name may be mentioned before it is known.
    const now = room.people.roles;
    const changed = now !== roles;
    roles = now;
    renew(({ author, mentions }) => mentions?.length || (changed && author));
  });
  refs.every(REFRESH_INTERVAL, refresh);
  for (const event of ["beforeprint", "afterprint"]) {
    refs.listen(window, event, () => {
      printing = event === "beforeprint";
      draw();
    });
  }
  refs.listen(document, "visibilitychange", () => document.hidden || refresh());
  schedule();

  return {
    reveal,
    entryOf,
    focusRow: keys.focus,
    /** The user comes back to the room. */
    placeNewLine() {
      read.place();
      schedule();
    },
    /** Draws all messages again. */
    refresh: () => renew(),
  };
}

/** Deleted messages of one person in a row are one line, so that what was deleted hides nothing else. */
function tellDeleted([first, ...others]) {
  if (first) write(first.querySelector(".text"), t("log.deleted", { count: others.length + 1 }));
}

function dayLine(date, now, refs) {
  const line = refs.copy("day");
  const time = line.firstElementChild;
  time.dateTime = dayKey(date);
  time.textContent = day(date, now);
  return line;
}
