/** The messages of a room in order, the gaps between them, and the user's unsent messages at the end. Pure. */

import { Gaps } from "./gaps.js";
import { revised } from "./revision.js";

/**
 * @typedef {{id: string, name: string, roles?: string[]}} Member
 * @typedef {{seq: number, author?: string, text?: string}} Quote the beginning of the message that a reply answers
 * @typedef {{id: string, seq: number, date: string, author: Member, text: string, reply?: Quote, edited?: string,
 *   mentions?: string[], deleted?: boolean, reactions?: Record<string, string[]>}} Message as on the wire
 * @typedef {object} Entry
 * @property {"sent" | "pending" | "held" | "failed" | "notice" | "whisper"} state a held message waits for a moderator; a
 *   whisper is stored nowhere: only the user sees it
 * @property {boolean} own whether the user wrote it
 * @property {string} [id]
 * @property {number} [seq] only if it is stored
 * @property {string} date ISO 8601; by the clock of this computer until it is stored
 * @property {Member} [author]
 * @property {string} [text]
 * @property {Quote} [reply]
 * @property {string[]} [mentions] ids of the members whom it names
 * @property {string} [edited] when, ISO 8601
 * @property {boolean} [deleted] the text is empty then
 * @property {Record<string, string[]>} [reactions] member ids by emoji
 * @property {{code: string, text: string}} [error] why it failed or still waits
 * @property {import("./notice.js").Notice} [notice] joins and leaves, instead of a message
 */

export class Log {
  /** @type {Entry[]} stored messages by seq with notices between them, then the unsent ones in the order of writing */
  entries = [];
  gaps = new Gaps();
  #bySeq = new Map();
  #unsent = new Map();

  /**
   * Adds a stored message. A message with a known `seq` is ignored; an unsent message with the same id becomes this
   * one.
   * @param {Message} message
   * @param {boolean} own
   * @returns {{entry: Entry, how: "added" | "confirmed" | "known"}}
   */
  take(message, own) {
    const known = this.#bySeq.get(message.seq);
    if (known) return { entry: known, how: "known" };
    // An id is unique per author only: a message of another member may have the id of an unsent one.
    const waiting = own ? this.#unsent.get(message.id) : undefined;
    const entry = waiting ?? {};
    if (waiting) this.#removeUnsent(waiting);
    const { id, seq, date, author, text, reply, edited, deleted, reactions, mentions } = message;
    Object.assign(entry, { state: "sent", own, id, seq, date, author, text, reply, edited, deleted, reactions, mentions, error: undefined });
    this.#insert(entry);
    return { entry, how: waiting ? "confirmed" : "added" };
  }

  /** Finds a stored message by its number. @param {number} seq @returns {Entry | undefined} */
  find(seq) {
    return this.#bySeq.get(seq);
  }

  /**
   * Applies a revision to its message, if the log has it.
   * @param {"edited" | "deleted" | "reacted"} kind
   * @param {import("./revision.js").Revision} event
   * @returns {Entry | undefined}
   */
  revise(kind, event) {
    const entry = this.#bySeq.get(event.target);
    return entry && Object.assign(entry, revised(entry, kind, event));
  }

  /**
   * Adds one of the user's messages before it is sent.
   * @param {{id: string, text: string, date: string, author: Member, reply?: Quote, error?: {code: string, text: string}, held?: boolean}} draft
   * @returns {Entry}
   */
  pend({ id, text, date, author, reply, error, held }) {
    const entry = { state: error ? "failed" : held ? "held" : "pending", own: true, id, text, date, author, reply, error };
    this.#unsent.set(id, entry);
    this.entries.push(entry);
    return entry;
  }

  /**
   * Marks an unsent message as stored.
   * @param {string} id
   * @param {{seq: number, date: string, text?: string}} stored
   * @returns {Entry | undefined}
   */
  confirm(id, { seq, date, text }) {
    const entry = this.#unsent.get(id);
    if (!entry) return undefined;
    this.#removeUnsent(entry);
    const known = this.#bySeq.get(seq);
    if (known) return known;
    Object.assign(entry, { state: "sent", seq, date, text: text ?? entry.text, error: undefined });
    this.#insert(entry);
    return entry;
  }

  /** Marks an unsent message as refused for good. @param {string} id @param {{code: string, text: string}} error */
  fail(id, error) {
    return this.#mark(id, "failed", error);
  }

  /** Marks an unsent message as waiting. @param {string} id @param {{code: string, text: string}} [error] */
  wait(id, error) {
    return this.#mark(id, "pending", error);
  }

  /** Marks an unsent message as waiting for a moderator. @param {string} id */
  hold(id) {
    return this.#mark(id, "held");
  }

  /** Removes an unsent message. @param {string} id @returns {Entry | undefined} */
  drop(id) {
    const entry = this.#unsent.get(id);
    if (entry) this.#removeUnsent(entry);
    return entry;
  }

  /** Removes all unsent messages. */
  dropUnsent() {
    this.entries.length = this.#storedCount();
    this.#unsent.clear();
  }

  /** Adds a notice after the newest stored message. @param {Entry} entry */
  note(entry) {
    this.entries.splice(this.#storedCount(), 0, entry);
  }

  /** Adds a whisper by its date, unless it is here already. @param {Entry} entry @returns {boolean} whether it was added */
  hear(entry) {
    if (this.entries.some(({ state, id }) => state === "whisper" && id === entry.id)) return false;
    let at = this.#storedCount();
    while (at > 0 && this.entries[at - 1].date > entry.date) at -= 1;
    this.entries.splice(at, 0, entry);
    return true;
  }

  /**
   * Marks the user's messages.
   * @param {string | undefined} id of the user
   * @param {Member | null} me the new author of the unsent messages, if any
   * @returns {boolean} whether a mark changed
   */
  setOwner(id, me) {
    let changed = false;
    for (const entry of this.entries) {
      if (!entry.author || entry.state === "whisper") continue;
      if (entry.state !== "sent" && me) entry.author = me;
      const own = entry.state !== "sent" || entry.author.id === id;
      if (own !== entry.own) changed = true;
      entry.own = own;
    }
    return changed;
  }

  /** The stored messages, oldest first. @returns {Message[]} */
  get messages() {
    return this.entries.filter(({ state }) => state === "sent").map(toMessage);
  }

  /** The newest entry that is not an unsent message. @returns {Entry | undefined} */
  get last() {
    return this.entries[this.#storedCount() - 1];
  }

  /** Removes all entries except unsent messages. @param {number} [missing] the messages before this number are a gap */
  clear(missing) {
    this.entries = [...this.#unsent.values()];
    this.#bySeq.clear();
    this.gaps.reset(missing);
  }

  /** Keeps the newest `count` entries. @param {number} count @returns {Entry[]} the removed entries */
  trim(count) {
    return this.cut(0, Math.min(this.entries.length - count, this.#storedCount()));
  }

  /** Removes the entries from index `start` up to `end`, `end` excluded; a gap remains. @returns {Entry[]} the removed entries */
  cut(start, end) {
    const removed = end > start ? this.entries.splice(start, end - start) : [];
    const lost = removed.filter(({ seq }) => seq !== undefined).map(({ seq }) => seq);
    for (const seq of lost) this.#bySeq.delete(seq);
    if (!lost.length) return removed;
    const before = this.entries.slice(0, start).findLast(({ seq }) => seq !== undefined);
    this.gaps.forget(before?.seq ?? 0, lost.at(-1) + 1);
    return removed;
  }

  #mark(id, state, error) {
    const entry = this.#unsent.get(id);
    if (entry) Object.assign(entry, { state, error });
    return entry;
  }

  #storedCount() {
    return this.entries.length - this.#unsent.size;
  }

  #removeUnsent(entry) {
    this.#unsent.delete(entry.id);
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  #insert(entry) {
    this.#bySeq.set(entry.seq, entry);
    let at = this.#storedCount();
    for (let i = at - 1; i >= 0; i -= 1) {
      const { seq } = this.entries[i];
      if (seq === undefined) continue;
      if (seq < entry.seq) break;
      at = i;
    }
    this.entries.splice(at, 0, entry);
  }
}

/** The stored message that an entry holds. @param {Entry} entry @returns {Message} */
export function toMessage({ id, seq, date, author, text, reply, edited, deleted, reactions, mentions }) {
  const message = { id, seq, date, author, text, reply, edited, deleted, reactions, mentions };
  for (const [name, value] of Object.entries(message)) if (value === undefined) delete message[name];
  return message;
}
