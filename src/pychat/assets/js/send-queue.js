/**
 * What we say on its way to the server: one message after the other, again after a drop, and the promises of those
 * who wait for an answer. What is shown of it stands in the log; what is kept of it, in the outbox.
 */

import { Refusal } from "./refusal.js";

/** Seconds to wait where the server does not say how many. */
const RETRY_AFTER = 2;
const WAITING_HELPS = new Set(["rate_limited", "unavailable"]);
/** Seconds: told to wait longer than this, a person decides. */
const LONGEST_WAIT = 60;

/**
 * @typedef {import("./log.js").Entry} Entry
 * @typedef {{id: string, seq: number, date: string}} Stored
 */

export class SendQueue {
  #connection;
  #clock;
  #outbox;
  #log;
  #room;
  #flushing = false;
  /** Promises of those who wait, by message id. */
  #waiting = new Map();

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{setTimeout(f: () => void, ms: number): any}} options.clock
   * @param {import("./outbox.js").Outbox} options.outbox
   * @param {import("./log.js").Log} options.log
   * @param {object} options.room what the room has to say to it, and hears
   * @param {() => boolean} options.room.joined whether the server knows who we are
   * @param {(told: boolean) => void} options.room.parted it does not any more: it said so, or the connection is gone
   * @param {(answer: Stored, entry: Entry | undefined) => void} options.room.stored
   * @param {(entry: Entry | undefined) => void} options.room.changed
   */
  constructor({ connection, clock, outbox, log, room }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#outbox = outbox;
    this.#log = log;
    this.#room = room;
  }

  /** Sends what there is. @param {string} id @returns {Promise<Stored>} when the message of that id is stored */
  stored(id) {
    const promise = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // Its fate is in the log too, for those who do not wait for it.
    promise.catch(() => {});
    this.flush();
    return promise;
  }

  /** Ends the waiting for a message. @param {string} id @param {Stored | Refusal} outcome */
  settle(id, outcome) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (outcome instanceof Refusal) waiting?.reject(outcome);
    else waiting?.resolve({ id, seq: outcome.seq, date: outcome.date });
  }

  /** One at a time: were they sent together, one that must wait would be overtaken by the next. */
  async flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let item; this.#room.joined() && (item = this.#outbox.next); ) await this.#post(item);
    } finally {
      this.#flushing = false;
    }
  }

  /** As long as the server said, or a while. @param {number} [seconds] */
  pause(seconds = RETRY_AFTER) {
    return new Promise((resolve) => this.#clock.setTimeout(resolve, seconds * 1000));
  }

  async #post({ id, text, reply }) {
    try {
      const answer = await this.#connection.send("say", reply ? { id, text, reply_to: reply.seq } : { id, text });
      if (!this.#outbox.has(id)) return;
      this.#outbox.remove(id);
      // A hook of the room may have changed the words; then the answer tells them.
      const entry = this.#log.confirm(id, { text, ...answer });
      this.settle(id, answer);
      this.#room.stored(answer, entry);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (this.#outbox.has(id)) await this.#refused(id, refusal);
    }
  }

  async #refused(id, refusal) {
    const error = { code: refusal.code, text: refusal.text };
    // It goes out again, with the same id, when we are back.
    if (!refusal.answered) this.#room.parted(false);
    else if (refusal.code === "not_joined") this.#room.parted(true);
    else if (waitingHelps(refusal)) {
      this.#room.changed(this.#log.wait(id, error));
      await this.pause(refusal.retryAfter);
      this.#room.changed(this.#log.wait(id));
    } else {
      this.#outbox.fail(id, error);
      this.#room.changed(this.#log.fail(id, error));
      this.settle(id, refusal);
    }
  }
}

/** Whether the same may go through in a while. @param {Refusal} refusal */
export function waitingHelps({ code, retryAfter }) {
  return retryAfter === undefined ? WAITING_HELPS.has(code) : retryAfter <= LONGEST_WAIT;
}
