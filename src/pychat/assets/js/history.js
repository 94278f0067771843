/**
 * Pages of the past: fetched, brought up to date with what was told meanwhile, and put into the log. Asks over the
 * connection; who waits for it, and who hears of the log, is up to `room.js`.
 */

import { revised } from "./revision.js";

/** Messages fetched at once. */
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
  #file;
  /** Questions that are on their way; what happens meanwhile to messages that their answers hold. */
  #asking = 0;
  #meanwhile = [];

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {import("./log.js").Log} options.log
   * @param {() => string | undefined} options.epoch of the log, as it is now
   * @param {(message: Message) => void} options.file puts a message into the log
   */
  constructor({ connection, log, epoch, file }) {
    this.#connection = connection;
    this.#log = log;
    this.#epoch = epoch;
    this.#file = file;
  }

  /**
   * Older messages, as they stand now; the log is left alone.
   * @param {{before?: number, limit?: number, matching?: string}} question
   * @returns {Promise<{messages: Message[], more: boolean}>}
   */
  async ask({ before, limit = PAGE, matching }) {
    this.#asking += 1;
    try {
      const { messages, more = false } = await this.#connection.send("history", { before, limit, matching });
      // Stores may answer late: what has happened since the question is folded in, twice does no harm.
      const now = messages.map((message) => this.#meanwhile.reduce((one, [kind, event]) => revised(one, kind, event), message));
      return { messages: now, more };
    } finally {
      this.#asking -= 1;
      if (!this.#asking) this.#meanwhile = [];
    }
  }

  /**
   * What became of a message: in the log, and in the answers that are on their way.
   * @param {"edited" | "deleted" | "reacted"} kind
   * @param {import("./revision.js").Revision} event
   * @returns {Entry | undefined} where it is in the log
   */
  revise(kind, event) {
    if (this.#asking) this.#meanwhile.push([kind, event]);
    return this.#log.revise(kind, event);
  }

  /** Fills a gap of the log by a page. @param {Gap} gap @param {"newer" | "older"} end of it */
  async fill({ from, to }, end) {
    await this.#load(end === "newer" ? to : Math.min(to, from + 1 + PAGE));
  }

  /** Brings the messages around number `seq` into the log. @param {number} seq */
  async around(seq) {
    await this.#load(seq + PAGE / 2);
  }

  /** The page that ends before number `before`. */
  async #load(before) {
    const epoch = this.#epoch();
    const { messages, more } = await this.ask({ before });
    // A room that has begun anew meanwhile numbers others by these.
    if (epoch !== this.#epoch()) return;
    for (const message of messages) this.#file(message);
    this.#log.gaps.learn(more && messages.length ? messages[0].seq : 1, before);
  }
}
