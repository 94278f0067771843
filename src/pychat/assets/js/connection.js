/**
 * One connection that is kept up: connects, notices that it is gone, waits, connects again, and knows when not to.
 * Carries events and commands of one room; what they mean is up to `room.js`. Socket.IO's own reconnection is
 * switched off: it does not know what `bye` says.
 */

import { Emitter } from "./emitter.js";
import { Refusal } from "./refusal.js";
import { REVISIONS } from "./revision.js";

/**
 * @typedef {object} State
 * @property {"connecting" | "live" | "reconnecting" | "refused" | "closed"} name
 * @property {string} [text] why, in words for people
 * @property {string} [code] why, for programs, where it was `refused`
 * @property {number} [retryAt] milliseconds of the clock; while waiting for the next attempt
 */

/** Milliseconds. */
const ANSWER_WITHIN = 10_000;
const WELCOME_WITHIN = 12_000;
/** At first a WebSocket may hang at some proxy; the next attempt, with long-polling, gets all the time. */
const WELCOME_WITHIN_AT_FIRST = 5_000;
const FIRST_DELAY = 500;
/** And half as much again by chance: 9 seconds after a room can be entered again, everybody is back. */
const LONGEST_DELAY = 6_000;
/** A connection that held this long ends a row of failures. */
const STABLE_AFTER = 5_000;

const EVENTS = ["welcome", "message", ...REVISIONS, "presence", "typing", "error", "bye"];

/** Emits `state` (State), and `event` ({name, data}) for each event of the wire. */
export class Connection extends Emitter {
  /** @type {State} */
  state = { name: "connecting" };
  #socket;
  #clock;
  #random;
  #diagnose;
  #timer;
  #failures = 0;
  #liveSince = null;
  #everLive = false;
  /** Whether this attempt got through to the server. */
  #reached = false;
  #bye = null;
  /** Why the application sends us out, in its own words; `bye` follows. @type {string | undefined} */
  #kicked;

  /**
   * @param {object} options
   * @param {import("socket.io-client").Socket} options.socket made with `autoConnect: false, reconnection: false`
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {() => number} options.random from 0 up to 1
   * @param {() => Promise<Refusal | undefined>} [options.diagnose] finds out why it does not get through, if waiting will not help
   */
  constructor({ socket, clock, random, diagnose }) {
    super();
    this.#socket = socket;
    this.#clock = clock;
    this.#random = random;
    this.#diagnose = diagnose;
    for (const name of EVENTS) socket.on(name, (data) => this.#heard(name, data));
    socket.on("connect", () => (this.#reached = true));
    socket.on("connect_error", (error) => this.#unconnected(error));
    socket.on("disconnect", () => this.#lost());
  }

  /** Connects now: the first time, again after a refusal, or without waiting for the next attempt. */
  open() {
    if (this.state.name === "live" || this.state.name === "closed") return;
    this.#attempt();
  }

  /** For good. */
  close() {
    this.#silence();
    this.#set({ name: "closed" });
  }

  /**
   * Sends a command.
   * @param {string} command @param {object} payload
   * @returns {Promise<object>} the answer, when it is `ok`
   * @throws {Refusal} the server's, or `offline` or `timeout`: then nobody knows whether it was carried out
   */
  async send(command, payload) {
    if (!this.#socket.connected) throw new Refusal(this.state.name === "closed" ? "closed" : "offline");
    let answer;
    try {
      answer = await this.#socket.timeout(ANSWER_WITHIN).emitWithAck(command, payload);
    } catch {
      // Dropped meanwhile, or alive in name only: a new connection finds out.
      const dead = this.#socket.connected;
      if (dead) this.#lost("The server did not answer in time.");
      throw new Refusal(dead ? "timeout" : "offline");
    }
    if (!answer?.ok) throw Refusal.from(answer?.error);
    return answer;
  }

  #attempt() {
    this.#silence();
    this.#set({ ...this.state, name: this.#everLive ? "reconnecting" : "connecting", retryAt: undefined });
    this.#reached = false;
    const patience = this.#failures === 0 && !this.#everLive ? WELCOME_WITHIN_AT_FIRST : WELCOME_WITHIN;
    this.#timer = this.#clock.setTimeout(() => this.#lost("The server does not answer."), patience);
    this.#socket.connect();
  }

  #heard(name, data) {
    if (name === "bye") this.#bye = data ?? {};
    if (name === "error" && data?.code === "kicked") this.#kicked = data.text;
    if (name === "welcome") {
      this.#clock.clearTimeout(this.#timer);
      this.#liveSince = this.#clock.now();
      this.#everLive = true;
      // Told first, so that whoever hears "live" finds the room as it is now.
      this.emit("event", { name, data });
      this.#set({ name: "live" });
      return;
    }
    this.emit("event", { name, data });
    if (name === "bye") this.#lost();
  }

  #unconnected(error) {
    // An inactive socket means that the server itself said no; anything else is the way to it that failed.
    if (this.#socket.active) return this.#lost("The server cannot be reached.");
    this.#reached = true;
    if (error.data?.reconnect === true) this.#lost(error.data.text ?? error.message);
    else this.#refuse(error.data?.text ?? error.message, error.data?.reason ?? error.data?.code);
  }

  #lost(text) {
    const bye = this.#bye;
    if (bye?.reconnect === false) return this.#refuse((bye.reason === "kicked" && this.#kicked) || bye.text, bye.reason);
    if (this.#liveSince !== null && this.#clock.now() - this.#liveSince >= STABLE_AFTER) this.#failures = 0;
    // Some proxies let a WebSocket hang or close it at once, others do not know a session begun by long-polling.
    // Each failure that `tryAllTransports` sees is met at once; for the rest, begin the other way next time.
    if (!this.#reached) this.#socket.io.opts.transports.reverse();
    this.#silence();
    // After a `bye` everyone is told to come back at once: half a second to two, so that they do not come together.
    // Where the room cannot be entered just now, the server says when to try again.
    const asked = Math.min(60, Number(bye?.retry_after) || 0) * 1000 * (1 + this.#random() / 2);
    const delay = Math.max(
      asked,
      bye && this.#failures === 0
        ? 500 + 1500 * this.#random()
        : Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#failures) * (0.5 + this.#random()),
    );
    this.#failures += 1;
    this.#set({
      name: this.#everLive ? "reconnecting" : "connecting",
      text: bye?.text ?? text ?? "The connection was lost.",
      retryAt: this.#clock.now() + delay,
    });
    this.#timer = this.#clock.setTimeout(() => this.#attempt(), delay);
    if (!this.#everLive && !this.#reached) this.#ask();
  }

  /** Never through to the server: it may be away, or it may never let us in. */
  async #ask() {
    const refusal = await this.#diagnose?.();
    if (refusal && this.state.name === "connecting") this.#refuse(refusal.text, refusal.code);
  }

  #refuse(text, code) {
    this.#silence();
    this.#set({ name: "refused", text: text || "The server refused the connection.", ...(code && { code }) });
  }

  /** Ends what is under way, and does not hear itself end it. */
  #silence() {
    this.#clock.clearTimeout(this.#timer);
    this.#bye = null;
    this.#kicked = undefined;
    this.#liveSince = null;
    // What Socket.IO kept back it would send after the next connect, before we have joined again.
    this.#socket.sendBuffer.length = 0;
    const heard = this.#socket.listeners("disconnect");
    this.#socket.off("disconnect");
    this.#socket.disconnect();
    for (const listener of heard) this.#socket.on("disconnect", listener);
  }

  #set(state) {
    this.state = state;
    this.emit("state", state);
  }
}
