/** The room's messages in their order, as they stand; what is missing between them; after them ours that are not stored yet. Pure. */

import { Gaps } from "./gaps.js";
import { revised } from "./revision.js";

/**
 * @typedef {{id: string, name: string, roles?: string[]}} Member
 * @typedef {{seq: number, author?: string, text?: string}} Quote how the message that is answered began
 * @typedef {{id: string, seq: number, date: string, author: Member, text: string, reply?: Quote, edited?: string,
 *   deleted?: boolean, reactions?: Record<string, string[]>}} Message as on the wire
 * @typedef {object} Entry
 * @property {"sent" | "pending" | "failed" | "notice"} state
 * @property {boolean} own written by this member
 * @property {string} [id]
 * @property {number} [seq] only once it is stored
 * @property {string} date ISO 8601; until it is stored, by this computer's clock
 * @property {Member} [author]
 * @property {string} [text]
 * @property {Quote} [reply]
 * @property {string} [edited] when
 * @property {boolean} [deleted] then it has no text
 * @property {Record<string, string[]>} [reactions] the ids of those who chose each emoji
 * @property {{code: string, text: string}} [error] why it failed, or why it still waits
 * @property {import("./notice.js").Notice} [notice] comings and goings, in place of a message
 */

export class Log {
  /** @type {Entry[]} stored messages by seq, notices between them, then our unsent ones in the order of writing */
  entries = [];
  gaps = new Gaps();
  #bySeq = new Map();
  #unsent = new Map();

  /**
   * A message of the room, from whatever source. Never shown twice: a seq that is known changes nothing, and one
   * of ours that was waiting takes its place.
   * @param {Message} message
   * @param {boolean} own
   * @returns {{entry: Entry, how: "added" | "confirmed" | "known"}}
   */
  take(message, own) {
    const known = this.#bySeq.get(message.seq);
    if (known) return { entry: known, how: "known" };
    // An id is unique among its author's messages only, so somebody else's may look like one of ours.
    const waiting = own ? this.#unsent.get(message.id) : undefined;
    const entry = waiting ?? {};
    if (waiting) this.#lift(waiting);
    const { id, seq, date, author, text, reply, edited, deleted, reactions } = message;
    Object.assign(entry, { state: "sent", own, id, seq, date, author, text, reply, edited, deleted, reactions, error: undefined });
    this.#settle(entry);
    return { entry, how: waiting ? "confirmed" : "added" };
  }

  /** The message of that number, if it is known here. @param {number} seq @returns {Entry | undefined} */
  find(seq) {
    return this.#bySeq.get(seq);
  }

  /**
   * What became of a message. One that is not known here is passed over.
   * @param {"edited" | "deleted" | "reacted"} kind
   * @param {import("./revision.js").Revision} event
   * @returns {Entry | undefined}
   */
  revise(kind, event) {
    const entry = this.#bySeq.get(event.target);
    return entry && Object.assign(entry, revised(entry, kind, event));
  }

  /**
   * One of ours that is about to be sent.
   * @param {{id: string, text: string, date: string, author: Member, reply?: Quote, error?: {code: string, text: string}}} draft
   * @returns {Entry}
   */
  pend({ id, text, date, author, reply, error }) {
    const entry = { state: error ? "failed" : "pending", own: true, id, text, date, author, reply, error };
    this.#unsent.set(id, entry);
    this.entries.push(entry);
    return entry;
  }

  /**
   * The server stored it.
   * @param {string} id
   * @param {{seq: number, date: string, text?: string}} stored
   * @returns {Entry | undefined}
   */
  confirm(id, { seq, date, text }) {
    const entry = this.#unsent.get(id);
    if (!entry) return undefined;
    this.#lift(entry);
    const known = this.#bySeq.get(seq);
    if (known) return known;
    Object.assign(entry, { state: "sent", seq, date, text: text ?? entry.text, error: undefined });
    this.#settle(entry);
    return entry;
  }

  /** The server refused it for good. @param {string} id @param {{code: string, text: string}} error */
  fail(id, error) {
    return this.#mark(id, "failed", error);
  }

  /** It waits: again, or still, and maybe for a reason. @param {string} id @param {{code: string, text: string}} [error] */
  wait(id, error) {
    return this.#mark(id, "pending", error);
  }

  /** Forget one of ours that was never stored. @param {string} id @returns {Entry | undefined} */
  drop(id) {
    const entry = this.#unsent.get(id);
    if (entry) this.#lift(entry);
    return entry;
  }

  /** Forget all of ours that were never stored. */
  dropUnsent() {
    this.entries.length = this.#settled();
    this.#unsent.clear();
  }

  /** A line between the messages. @param {Entry} entry */
  note(entry) {
    this.entries.splice(this.#settled(), 0, entry);
  }

  /** The newest line that is not an unsent message. @returns {Entry | undefined} */
  get last() {
    return this.entries[this.#settled() - 1];
  }

  /** Forget what is stored; what is unsent stays. @param {number} [missing] what stands before this number is not known */
  clear(missing) {
    this.entries = [...this.#unsent.values()];
    this.#bySeq.clear();
    this.gaps.reset(missing);
  }

  /** Keep the newest `count` lines. @param {number} count @returns {Entry[]} what was let go */
  trim(count) {
    return this.cut(0, Math.min(this.entries.length - count, this.#settled()));
  }

  /** Let lines go, from index `start` to before `end`; a gap remains. @returns {Entry[]} what was let go */
  cut(start, end) {
    const gone = end > start ? this.entries.splice(start, end - start) : [];
    const lost = gone.filter(({ seq }) => seq !== undefined).map(({ seq }) => seq);
    for (const seq of lost) this.#bySeq.delete(seq);
    if (!lost.length) return gone;
    const before = this.entries.slice(0, start).findLast(({ seq }) => seq !== undefined);
    this.gaps.forget(before?.seq ?? 0, lost.at(-1) + 1);
    return gone;
  }

  #mark(id, state, error) {
    const entry = this.#unsent.get(id);
    if (entry) Object.assign(entry, { state, error });
    return entry;
  }

  #settled() {
    return this.entries.length - this.#unsent.size;
  }

  #lift(entry) {
    this.#unsent.delete(entry.id);
    this.entries.splice(this.entries.indexOf(entry), 1);
  }

  #settle(entry) {
    this.#bySeq.set(entry.seq, entry);
    let at = this.#settled();
    for (let i = at - 1; i >= 0; i -= 1) {
      const { seq } = this.entries[i];
      if (seq === undefined) continue;
      if (seq < entry.seq) break;
      at = i;
    }
    this.entries.splice(at, 0, entry);
  }
}
