/** The user's messages that the server has not stored yet. A Storage keeps them over reloads, separately for each person. */

import { Refusal } from "./refusal.js";

/** More than a person types during a long outage; stops a program that keeps sending. */
const CAPACITY = 500;

/**
 * @typedef {{id: string, text: string, at: number, by?: string, reply?: import("./log.js").Quote, error?: {code: string, text: string}, held?: boolean}} Item
 * `at` is in milliseconds and sets the order. `by` is the member id of the person who wrote it. `error` is why the server refused it for good; the user decides what to do.
 * `held` is whether it waits for a moderator: the server has it, and it is not sent again.
 */

export class Outbox {
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** The member id of the present person. @type {string | undefined} */
  #by;
  #storage;
  #prefix;

  /**
   * Each message has its own storage key, so that two tabs never overwrite each other's messages.
   * @param {Storage} storage
   * @param {string} prefix of those keys
   * @param {string} [by] the member id of the present person
   */
  constructor(storage, prefix, by) {
    this.#by = by;
    this.#storage = storage;
    this.#prefix = prefix;
    const kept = [];
    for (let i = 0; i < storage.length; i += 1) {
      const key = storage.key(i);
      if (key?.startsWith(prefix)) kept.push(parse(storage.getItem(key)));
    }
    kept.sort((a, b) => a.at - b.at);
    for (const item of kept) if (typeof item?.id === "string" && typeof item.text === "string") this.#items.set(item.id, item);
    // Older pages kept those of all guests without an id.
    if (by !== undefined) this.renumber(undefined, by);
  }

  /** Gives the messages of a person to the same person with another id. @param {string | undefined} from @param {string} to */
  renumber(from, to) {
    for (const item of [...this.#items.values()].filter(({ by }) => by === from)) this.#put({ ...item, by: to });
  }

  /**
   * Shows only the messages of that person from now on. The messages of others stay in the storage.
   * @param {string} [by] the member id
   * @returns {boolean} whether it is somebody else
   */
  switchTo(by) {
    const other = by !== this.#by;
    this.#by = by;
    return other;
  }

  /** @returns {Item[]} the messages of the present person, oldest first */
  get items() {
    return [...this.#items.values()].filter(({ by }) => by === this.#by);
  }

  /** @returns {Item | undefined} the next message to send */
  get next() {
    return this.items.find(({ error, held }) => !error && !held);
  }

  /** @param {string} id */
  has(id) {
    return this.#items.has(id);
  }

  /**
   * @param {string} id @param {string} text
   * @param {number} now milliseconds
   * @param {import("./log.js").Quote} [reply] the message that it answers
   * @returns {Item}
   * @throws {Refusal} `outbox_full`
   */
  add(id, text, now, reply) {
    if (this.items.length >= CAPACITY) throw new Refusal("outbox_full");
    const newest = Math.max(...this.items.map((item) => item.at), 0);
    return this.#put({ id, text, at: Math.max(now, newest + 1), by: this.#by, reply });
  }

  /** @param {string} id @param {{code: string, text: string}} error */
  fail(id, error) {
    const item = this.#items.get(id);
    if (item) this.#put({ ...item, error, held: undefined });
  }

  /** The server has it, and a moderator has to approve it. @param {string} id */
  hold(id) {
    const item = this.#items.get(id);
    if (item) this.#put({ ...item, held: true });
  }

  /** Queues a refused message again, after all others. @param {string} id @param {number} now @returns {Item | undefined} */
  retry(id, now) {
    const item = this.#items.get(id);
    if (!item) return undefined;
    this.remove(id);
    return this.add(id, item.text, now, item.reply);
  }

  /** Removes the references to other messages: their numbers have changed. @returns {boolean} whether there were any */
  forgetReplies() {
    const replies = [...this.#items.values()].filter(({ reply }) => reply);
    for (const { reply, ...item } of replies) this.#put(item);
    return replies.length > 0;
  }

  /** @param {string} id */
  remove(id) {
    this.#items.delete(id);
    this.#storage.removeItem(this.#prefix + id);
  }

  #put(item) {
    this.#items.set(item.id, item);
    this.#storage.setItem(this.#prefix + item.id, JSON.stringify(item));
    return item;
  }
}

function parse(json) {
  try {
    return JSON.parse(json) ?? {};
  } catch {
    return {};
  }
}
