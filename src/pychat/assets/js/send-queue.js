/**
 * Sends the user's messages in order, one at a time, and again after a lost connection. Settles the promises of
 * `say`. The log shows the messages; the outbox keeps them.
 */

import { Refusal } from "./refusal.js";
import { isTemporary, pause } from "./retry.js";

/**
 * @typedef {import("./log.js").Entry} Entry
 * @typedef {{id: string, seq: number, date: string} | {id: string, held: true}} Stored a held message waits for a moderator
 */

export class SendQueue {
  #connection;
  #clock;
  #outbox;
  #log;
  #room;
  #flushing = false;
  /** Resolve and reject functions by message id. */
  #waiting = new Map();

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{setTimeout(f: () => void, ms: number): any}} options.clock
   * @param {import("./outbox.js").Outbox} options.outbox
   * @param {import("./log.js").Log} options.log
   * @param {() => boolean} options.joined returns whether the server knows the user's name
   * @param {(answered: boolean) => void} options.parted called when it does not any more: the server answered so, or
   *   the connection is lost
   * @param {(answer: Stored, entry: Entry | undefined) => void} options.stored called when a message is stored
   * @param {(entry: Entry | undefined) => void} options.changed called when an entry of the log changed
   */
  constructor({ connection, clock, outbox, log, ...room }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#outbox = outbox;
    this.#log = log;
    this.#room = room;
  }

  /** Sends the outbox. @param {string} id @returns {Promise<Stored>} resolves when the message with that id is stored */
  stored(id) {
    const promise = new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    // The log shows a refusal too, so a caller may ignore the promise.
    promise.catch(() => {});
    this.flush();
    return promise;
  }

  /** Settles the promise of a message. @param {string} id @param {Stored | Refusal} outcome */
  settle(id, outcome) {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (outcome instanceof Refusal) waiting?.reject(outcome);
    else if (outcome.held) waiting?.resolve({ id, held: true });
    else waiting?.resolve({ id, seq: outcome.seq, date: outcome.date });
  }

  /** Sends one message at a time: if several were sent together, a later one could overtake one that must wait. */
  async flush() {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      for (let item; this.#room.joined() && (item = this.#outbox.next); ) await this.#send(item);
    } finally {
      this.#flushing = false;
    }
  }

  async #send({ id, text, reply }) {
    try {
      const answer = await this.#connection.send("say", reply ? { id, text, reply_to: reply.seq } : { id, text });
      if (!this.#outbox.has(id)) return;
      if (answer.held) {
        this.#outbox.hold(id);
        this.settle(id, answer);
        this.#room.changed(this.#log.hold(id));
        return;
      }
      this.#outbox.remove(id);
      // The answer has a `text` if a hook of the room changed it.
      const entry = this.#log.confirm(id, { text, ...answer });
      this.settle(id, answer);
      this.#room.stored(answer, entry);
    } catch (refusal) {
      if (!(refusal instanceof Refusal)) throw refusal;
      if (this.#outbox.has(id)) await this.#refused(id, refusal);
    }
  }

  async #refused(id, refusal) {
    const error = { code: refusal.code, text: refusal.text, ...(refusal.retryAfter && { retryAfter: refusal.retryAfter }) };
    // After the next join the message is sent again with the same id.
    if (!refusal.answered) this.#room.parted(false);
    else if (refusal.code === "not_joined") this.#room.parted(true);
    else if (isTemporary(refusal)) {
      this.#room.changed(this.#log.wait(id, error));
      await pause(this.#clock, refusal);
      this.#room.changed(this.#log.wait(id));
    } else {
      this.#outbox.fail(id, error);
      this.#room.changed(this.#log.fail(id, error));
      this.settle(id, refusal);
    }
  }
}
