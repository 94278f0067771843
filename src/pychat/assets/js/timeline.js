/**
 * The stored messages of a room: the ones that arrive, their edits, deletions and reactions, the older ones on demand,
 * and the position to recover from. Puts them into the log.
 */

import { Emitter } from "./emitter.js";
import { History } from "./history.js";
import { Position } from "./position.js";

/**
 * @typedef {import("./log.js").Entry} Entry
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./revision.js").Revision} Revision
 */

/**
 * Emits `log` ({kind, entry}) and `message` (Message) as Room does, `edited`, `deleted` and `reacted` (as on the wire),
 * and `own` (Message) for each stored message of the user.
 */
export class Timeline extends Emitter {
  #connection;
  #history;
  #log;
  #ownId;
  #position = new Position();
  /** The epoch of the messages of an earlier visit. @type {string | undefined} */
  #recalled;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {import("./log.js").Log} options.log
   * @param {() => string | undefined} options.ownId returns the user's member id
   */
  constructor({ connection, log, ownId }) {
    super();
    this.#connection = connection;
    this.#log = log;
    this.#ownId = ownId;
    this.#history = new History({ connection, log, epoch: () => this.since?.epoch, record: (message) => this.#record(message) });
  }

  /** The position to recover from. @returns {{epoch: string, seq: number, id?: string} | undefined} */
  get since() {
    return this.#position.since;
  }

  /** Applies a welcome. @param {object} welcome as on the wire @returns {boolean} whether the messages have new numbers */
  start({ epoch, seq, id, recovered, messages, more }) {
    const before = this.since?.epoch ?? this.#recalled;
    const renumbered = before !== undefined && before !== epoch;
    // If `recovered`, this is the position that the client asked from, and the missed events follow.
    this.#position.start(epoch, seq, id);
    if (recovered) return renumbered;
    this.#log.clear(more ? (messages[0]?.seq ?? seq + 1) : undefined);
    for (const message of messages) this.#record(message);
    this.emit("log", { kind: "reset" });
    return renumbered;
  }

  /**
   * Shows messages of an earlier visit, without a position: the welcome replaces them.
   * @param {Message[]} messages oldest first @param {string} epoch in which they have their numbers
   */
  recall(messages, epoch) {
    this.#recalled = epoch;
    this.#log.clear(messages[0]?.seq);
    for (const message of messages) this.#log.take(message, message.author.id === this.#ownId());
    this.emit("log", { kind: "reset" });
  }

  /** Removes all messages, and the position. */
  forget() {
    this.#position = new Position();
    this.#log.clear();
    this.emit("log", { kind: "reset" });
  }

  /** Adds a message that arrived. @param {Message} message */
  add(message) {
    this.#position.read(message.seq, message.id);
    const { entry, how } = this.#record(message);
    if (how === "known") return;
    this.emit("log", { kind: how === "added" ? "add" : "change", entry });
    this.emit("message", message);
  }

  /** Applies a revision that arrived. @param {"edited" | "deleted" | "reacted"} kind @param {Revision} event */
  apply(kind, event) {
    this.#position.read(event.seq, event.id);
    const entry = this.#history.revise(kind, event);
    if (entry) this.emit("log", { kind: "change", entry });
    this.emit(kind, event);
  }

  /** Sends a command that revises a message. @param {"edit" | "delete" | "react"} command @param {object} data @throws {Refusal} */
  async revise(command, data) {
    this.wrote(await this.#connection.send(command, data));
  }

  /** The server stored a message or a revision of the user. @param {{seq?: number, id?: string}} answer */
  wrote({ seq, id }) {
    if (seq !== undefined) this.#position.wrote(seq, id);
  }

  /** Documented at Room. */
  history(options) {
    return this.#history.fetch(options);
  }

  /** Documented at Room. */
  async fill(gap, end) {
    await this.#history.fill(gap, end);
    this.emit("log", { kind: "more" });
  }

  /** Fetches a message with those around it into the log. @param {number} seq */
  async fetchAround(seq) {
    await this.#history.around(seq);
    this.emit("log", { kind: "more" });
  }

  #record(message) {
    const own = message.author.id === this.#ownId();
    const recorded = this.#log.take(message, own);
    if (own) this.emit("own", message);
    return recorded;
  }
}
