/** The user's messages until the server has stored them: kept over reloads, shown in the log, sent in order. */

import { Emitter } from "./emitter.js";
import { newId } from "./identity.js";
import { Outbox } from "./outbox.js";
import { Refusal } from "./refusal.js";
import { SendQueue } from "./send-queue.js";

/**
 * @typedef {import("./log.js").Entry} Entry
 * @typedef {import("./log.js").Member} Member
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./send-queue.js").Stored} Stored
 */

/** Characters of the original message in a reply, as many as the server quotes. */
const QUOTE_LENGTH = 200;

/**
 * Emits `log` ({kind, entry}) as Room does, `stored` ({answer, entry}) when the server has stored a message, and
 * `parted` (boolean) when the server does not know the user any more: `true` if the server said so, `false` if the
 * connection is lost.
 */
export class Outgoing extends Emitter {
  #clock;
  #log;
  #me;
  #outbox;
  #queue;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any}} options.clock
   * @param {Storage} options.storage
   * @param {string} options.key prefix of the keys in the storage
   * @param {import("./log.js").Log} options.log
   * @param {() => Member | null} options.me returns the user
   * @param {() => boolean} options.joined returns whether the server knows the user's name
   * @param {string} [options.by] the member id of the user, if it is known already
   */
  constructor({ connection, clock, storage, key, log, me, joined, by }) {
    super();
    this.#clock = clock;
    this.#log = log;
    this.#me = me;
    this.#outbox = new Outbox(storage, key, by);
    this.#queue = new SendQueue({
      connection,
      clock,
      outbox: this.#outbox,
      log,
      joined,
      parted: (answered) => this.emit("parted", answered),
      stored: (answer, entry) => this.emit("stored", { answer, entry }),
      changed: (entry) => this.#emitLog("change", entry),
    });
    for (const item of this.#outbox.items) this.#show(item);
  }

  /** Adds a message. @param {string} text @param {number} [replyTo] @returns {Promise<Stored>} resolves when it is stored */
  add(text, replyTo) {
    const item = this.#outbox.add(newId(), text, this.#clock.now(), this.#quote(replyTo));
    this.#emitLog("add", this.#show(item));
    return this.#queue.stored(item.id);
  }

  /** Sends a refused message again. @param {string} id @returns {Promise<Stored>} @throws {Refusal} `discarded` */
  retry(id) {
    const item = this.#outbox.retry(id, this.#clock.now());
    if (!item) throw new Refusal("discarded");
    this.#emitLog("remove", this.#log.drop(id));
    this.#emitLog("add", this.#show(item));
    return this.#queue.stored(id);
  }

  /** Discards a message. @param {string} id */
  discard(id) {
    this.#outbox.remove(id);
    this.#emitLog("remove", this.#log.drop(id));
    this.#queue.settle(id, new Refusal("discarded"));
  }

  /** Sends what waits; call it when the user has joined. */
  flush() {
    this.#queue.flush();
  }

  /** The server stored this message of the user, but its answer was lost. @param {Message} message */
  confirm(message) {
    if (!this.#outbox.has(message.id)) return;
    this.#outbox.remove(message.id);
    this.#queue.settle(message.id, message);
  }

  /** A moderator rejected a held message of the user. @param {string} id @param {string} [reason] */
  reject(id, reason) {
    if (!this.#outbox.has(id)) return;
    const error = { code: "rejected", text: reason || "A moderator rejected this message." };
    this.#outbox.fail(id, error);
    this.#emitLog("change", this.#log.fail(id, error));
  }

  /** Shows the messages of that person only: nobody sees or sends those of somebody else. @param {string} [id] of the member */
  switchTo(id) {
    if (this.#outbox.switchTo(id)) this.#showAll();
  }

  /** The server gave the same guest another id. @param {string} from @param {string} to */
  renumber(from, to) {
    this.#outbox.renumber(from, to);
    this.#outbox.switchTo(to);
    this.#showAll();
  }

  /** Removes the references to other messages: their numbers have changed. */
  forgetReplies() {
    if (this.#outbox.forgetReplies()) this.#showAll();
  }

  #quote(seq) {
    if (seq === undefined) return undefined;
    const { author, text } = this.#log.find(seq) ?? {};
    const characters = [...(text ?? "")];
    return { seq, author: author?.name, text: characters.length > QUOTE_LENGTH ? `${characters.slice(0, QUOTE_LENGTH - 1).join("")}…` : text };
  }

  #show({ id, text, at, reply, error, held }) {
    return this.#log.pend({ id, text, reply, error, held, date: new Date(at).toISOString(), author: this.#me() ?? { id: "", name: "" } });
  }

  #showAll() {
    this.#log.dropUnsent();
    for (const item of this.#outbox.items) this.#show(item);
    this.emit("log", { kind: "reset" });
  }

  #emitLog(kind, entry) {
    if (entry) this.emit("log", { kind, entry });
  }
}
