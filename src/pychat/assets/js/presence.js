/** Who else is in the room: the list of people, who is typing, and the notices of joins and leaves in the log. */

import { Emitter } from "./emitter.js";
import { Notice } from "./notice.js";
import { People } from "./people.js";
import { Typists } from "./typists.js";

/** Milliseconds between two `typing` commands while the user keeps typing. */
const TYPING_INTERVAL = 3000;

/** @typedef {import("./log.js").Member} Member */

/**
 * Emits `people` (People), `typing` (Member[]), `renamed` (Member) when the user was renamed, and `log`
 * ({kind, entry}) when a notice was added or changed.
 */
export class Presence extends Emitter {
  people = new People();
  #clock;
  #connection;
  #log;
  #me;
  #typists = new Typists();
  #timer;
  #typingSentAt = -Infinity;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {import("./log.js").Log} options.log
   * @param {() => Member | null} options.me returns the user
   */
  constructor({ connection, clock, log, me }) {
    super();
    this.#connection = connection;
    this.#clock = clock;
    this.#log = log;
    this.#me = me;
  }

  /** Applies a `presence` event. @param {object} data as on the wire */
  apply(data) {
    const changes = this.people.apply(data);
    const isOther = (member) => member.id !== this.#me()?.id;
    for (const { to } of changes.renamed) if (!isOther(to)) this.emit("renamed", to);
    for (const member of changes.left) this.setTyping(member, false);
    this.emit("people", this.people);
    this.#notify({
      joined: changes.joined.filter(isOther),
      left: changes.left.filter(isOther),
      renamed: changes.renamed.filter(({ to }) => isOther(to)),
    });
  }

  /** Adds the user to the list. @param {Member} member */
  addMe(member) {
    this.people.put(member);
    // The `presence` event of the user's own join may arrive before the answer to `join`.
    const { last } = this.#log;
    if (last?.notice) {
      last.notice.forget(member.id);
      this.emit("log", { kind: "change", entry: last });
    }
    this.emit("people", this.people);
  }

  /** Empties the list: a refused client gets no presence events. */
  clear() {
    this.people.reset({ here: 0 });
    this.emit("people", this.people);
  }

  /** Forgets who is typing: the connection is lost. */
  disconnected() {
    this.typingEnded();
    if (!this.#typists.at(this.#clock.now()).length) return;
    this.#typists.clear();
    this.emit("typing", []);
  }

  /** Records whether a member is typing. @param {Member} member @param {boolean} on */
  setTyping(member, on) {
    const now = this.#clock.now();
    if (member.id === this.#me()?.id) return;
    const before = this.#typists.at(now).length;
    this.#typists.set(member, on, now);
    const typing = this.#typists.at(now);
    if (typing.length !== before) this.emit("typing", typing);
    this.#clock.clearTimeout(this.#timer);
    if (this.#typists.expiry === undefined) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.emit("typing", this.#typists.at(this.#clock.now()));
    }, this.#typists.expiry - now);
  }

  /** Sends whether the user is typing, at most once every 3 seconds while it stays true. @param {boolean} on */
  sendTyping(on) {
    const now = this.#clock.now();
    if (on ? now - this.#typingSentAt < TYPING_INTERVAL : this.#typingSentAt === -Infinity) return;
    this.#typingSentAt = on ? now : -Infinity;
    // A refused `typing` command has no effect for the user.
    this.#connection.send("typing", { on }).catch(() => {});
  }

  /** The user's message was sent, which ends typing on the server too. */
  typingEnded() {
    this.#typingSentAt = -Infinity;
  }

  /** Cancels the timer. */
  close() {
    this.#clock.clearTimeout(this.#timer);
  }

  #notify(changes) {
    if (!changes.joined.length && !changes.left.length && !changes.renamed.length) return;
    let entry = this.#log.last;
    const extend = entry?.state === "notice";
    if (!extend) entry = { state: "notice", own: false, notice: new Notice() };
    entry.notice.add(changes);
    entry.date = new Date(this.#clock.now()).toISOString();
    if (!extend) this.#log.note(entry);
    this.emit("log", { kind: extend ? "change" : "add", entry });
  }
}
