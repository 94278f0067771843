/** Fetches pages of old messages, applies the revisions that arrive meanwhile, and puts the messages into the log. */

import { revised } from "./revision.js";

/** Messages in a page. */
const PAGE = 50;

/**
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./log.js").Entry} Entry
 * @typedef {import("./gaps.js").Gap} Gap
 */

export class History {
  #connection;
  #log;
  #epoch;
  #record;
  /** How many requests wait for an answer, and the revisions that arrived since the first of them. */
  #pending = 0;
  #revisions = [];

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {import("./log.js").Log} options.log
   * @param {() => string | undefined} options.epoch returns the present epoch of the log
   * @param {(message: Message) => void} options.record puts a message into the log
   */
  constructor({ connection, log, epoch, record }) {
    this.#connection = connection;
    this.#log = log;
    this.#epoch = epoch;
    this.#record = record;
  }

  /**
   * Fetches older messages as they are now. The log does not change.
   * @param {{before?: number, limit?: number, matching?: string}} options
   * @returns {Promise<{messages: Message[], more: boolean}>}
   */
  async fetch({ before, limit = PAGE, matching }) {
    this.#pending += 1;
    try {
      const { messages, more = false } = await this.#connection.send("history", { before, limit, matching });
      // A store may answer late, so apply what arrived since the request. Applying a revision twice changes nothing.
      const current = messages.map((message) => this.#revisions.reduce((one, [kind, event]) => revised(one, kind, event), message));
      return { messages: current, more };
    } finally {
      this.#pending -= 1;
      if (!this.#pending) this.#revisions = [];
    }
  }

  /**
   * Applies a revision to the log, and to the answers that are still awaited.
   * @param {"edited" | "deleted" | "reacted"} kind
   * @param {import("./revision.js").Revision} event
   * @returns {Entry | undefined} the entry, if the log has it
   */
  revise(kind, event) {
    if (this.#pending) this.#revisions.push([kind, event]);
    return this.#log.revise(kind, event);
  }

  /** Fetches a page of a gap. @param {Gap} gap @param {"newer" | "older"} end of the gap to fetch from */
  async fill({ from, to }, end) {
    await this.#load(end === "newer" ? to : Math.min(to, from + 1 + PAGE));
  }

  /** Fetches the messages around number `seq` into the log. @param {number} seq */
  async around(seq) {
    await this.#load(seq + PAGE / 2);
  }

  /** Fetches the page that ends before number `before` into the log. */
  async #load(before) {
    const epoch = this.#epoch();
    const { messages, more } = await this.fetch({ before });
    // In a new epoch the same numbers belong to other messages.
    if (epoch !== this.#epoch()) return;
    for (const message of messages) this.#record(message);
    this.#log.gaps.learn(more && messages.length ? messages[0].seq : 1, before);
  }
}
