/** Messages not stored by the server yet, kept over reloads in a Storage, each for the login that wrote it. Sends nothing. */

import { Refusal } from "./refusal.js";

/** As many as a person types during a long outage; a program that talks into the void is stopped here. */
const CAPACITY = 500;

/**
 * @typedef {{id: string, text: string, at: number, by?: string, reply?: import("./log.js").Quote, error?: {code: string, text: string}}} Item
 * `at` is in milliseconds and sets the order; `by` is the id of the login that wrote it, left out for a guest; with `error` it was refused for good, and waits for a decision.
 */

export class Outbox {
  /** @type {Map<string, Item>} */
  #items = new Map();
  /** The login whose messages are looked at; none for a guest. @type {string | undefined} */
  #by;
  #storage;
  #prefix;

  /**
   * Each message has a storage key of its own, so that two tabs cannot overwrite each other's.
   * @param {Storage} storage
   * @param {string} prefix of those keys
   */
  constructor(storage, prefix) {
    this.#storage = storage;
    this.#prefix = prefix;
    const kept = [];
    for (let i = 0; i < storage.length; i += 1) {
      const key = storage.key(i);
      if (key?.startsWith(prefix)) kept.push(parse(storage.getItem(key)));
    }
    kept.sort((a, b) => a.at - b.at);
    for (const item of kept) if (typeof item?.id === "string" && typeof item.text === "string") this.#items.set(item.id, item);
  }

  /**
   * From now on the messages of that login alone; those of others stay where they are, until it is them again.
   * @param {string} [by] the id of a login, nothing for a guest
   * @returns {boolean} whether it was another
   */
  turnTo(by) {
    const other = by !== this.#by;
    this.#by = by;
    return other;
  }

  /** @returns {Item[]} of who we are now, oldest first */
  get items() {
    return [...this.#items.values()].filter(({ by }) => by === this.#by);
  }

  /** @returns {Item | undefined} the oldest of ours that is to be sent */
  get next() {
    return this.items.find(({ error }) => !error);
  }

  /** @param {string} id */
  has(id) {
    return this.#items.has(id);
  }

  /**
   * @param {string} id @param {string} text
   * @param {number} now milliseconds
   * @param {import("./log.js").Quote} [reply] what it answers
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
    if (item) this.#put({ ...item, error });
  }

  /** To be sent again, after all others. @param {string} id @param {number} now @returns {Item | undefined} */
  retry(id, now) {
    const item = this.#items.get(id);
    if (!item) return undefined;
    this.remove(id);
    return this.add(id, item.text, now, item.reply);
  }

  /** Messages have other numbers now: what was written answers none of them. @returns {boolean} whether something did */
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
