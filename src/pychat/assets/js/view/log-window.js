/**
 * Which entries of the log are in the document. At the end of the log: the newest. Further up: those that were read, more
 * when their edge comes near, and none that arrive below. Pure.
 */

/** Entries in the document while the end is followed. */
const ROWS = 150;
/** Entries that are added when an edge comes near. */
const STEP = 75;

/** @typedef {import("../log.js").Entry} Entry */

export class LogWindow {
  /** Whether there are entries before the window, and after it. */
  above = false;
  below = false;
  /** The first entry; `null` is the beginning of the log. @type {Entry | null} */
  #first = null;
  /** The last entry; `null` is the end. @type {Entry | null} */
  #last = null;
  /** The newest entry that was drawn. @type {Entry | undefined} */
  #drawn;

  /**
   * Returns the indexes of the window in the present log.
   * @param {Entry[]} entries
   * @param {boolean} following whether the user is at the end
   * @returns {[number, number]} the end is excluded
   */
  range(entries, following) {
    let [start, end] = following ? [reach(entries, entries.length, -ROWS), entries.length] : this.#kept(entries);
    // What arrives below is far from what is read.
    if (!following && end - start > ROWS + STEP) end = Math.max(entries.indexOf(this.#drawn) + 1, start + ROWS);
    this.#remember(entries, start, end);
    return [start, end];
  }

  /** Adds entries at an edge. @param {Entry[]} entries @param {"above" | "below"} edge */
  extend(entries, edge) {
    const [start, end] = this.#kept(entries);
    if (edge === "above") this.#remember(entries, reach(entries, start, -STEP), end);
    else this.#remember(entries, start, reach(entries, end, STEP));
  }

  /** Moves the window to an entry of the log, if it is outside. @param {Entry[]} entries @param {Entry} entry @returns {boolean} whether it was */
  include(entries, entry) {
    const [start, end] = this.#kept(entries);
    const at = entries.indexOf(entry);
    if (at < 0 || (at >= start && at < end)) return false;
    this.#remember(entries, reach(entries, at, -STEP), reach(entries, at, STEP));
    return true;
  }

  #kept(entries) {
    const start = this.#first ? Math.max(0, entries.indexOf(this.#first)) : 0;
    const end = this.#last ? entries.indexOf(this.#last) + 1 : entries.length;
    return [start, end > start ? end : entries.length];
  }

  #remember(entries, start, end) {
    this.#first = start > 0 ? entries[start] : null;
    this.#last = end < entries.length ? entries[end - 1] : null;
    this.#drawn = entries[end - 1];
    this.above = start > 0;
    this.below = end < entries.length;
  }
}

/** The index that is so many rows further. Deleted messages and notices do not count: a hundred of them can be one line. */
function reach(entries, from, rows) {
  const step = Math.sign(rows);
  let at = from;
  for (let left = Math.abs(rows); left > 0 && at + step >= 0 && at + step <= entries.length; ) {
    at += step;
    const entry = entries[step < 0 ? at : at - 1];
    if (!entry.deleted && !entry.notice) left -= 1;
  }
  return at;
}
