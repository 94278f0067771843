/**
 * Keeps one connection open: connects, detects when it is lost, and reconnects with a delay unless the server refused.
 * Carries the events and commands of one room; `room.js` interprets them. Socket.IO's own reconnection is off, because
 * it ignores the `bye` event.
 */

import { Backoff } from "./backoff.js";
import { Farewell, refusedState } from "./farewell.js";
import { Link } from "./link.js";
import { Refusal } from "./refusal.js";
import { REVISIONS } from "./revision.js";

/** @typedef {import("./link.js").State} State */

/** Milliseconds. */
const ANSWER_TIMEOUT = 10_000;
const WELCOME_TIMEOUT = 12_000;
/** A proxy may let the first WebSocket hang; the next attempt uses long-polling and has the full time. */
const FIRST_WELCOME_TIMEOUT = 5_000;
/** A connection that lasts this long resets the delay. */
const STABLE_AFTER = 5_000;

/** The events of both versions; those of version 1 name no room. */
const EVENTS = [
  "welcome", "entered", "exited", "message", ...REVISIONS, "presence", "typing", "access", "room", "queue", "held", "whisper", "unread",
  "error", "bye",
];

export class Connection extends Link {
  #socket;
  #clock;
  #diagnose;
  #timer;
  #backoff;
  #liveSince = null;
  #everLive = false;
  /** Whether this attempt reached the server. */
  #reached = false;
  #bye = null;
  #farewell = new Farewell();

  /**
   * @param {object} options
   * @param {import("socket.io-client").Socket} options.socket made with `autoConnect: false, reconnection: false`
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {() => number} options.random from 0 to 1, 1 excluded
   * @param {() => Promise<Refusal | undefined>} [options.diagnose] finds out whether the connection is refused for good
   */
  constructor({ socket, clock, random, diagnose }) {
    super();
    this.#socket = socket;
    this.#clock = clock;
    this.#backoff = new Backoff(random);
    this.#diagnose = diagnose;
    for (const name of EVENTS) socket.on(name, (data) => this.#onEvent(name, data));
    socket.on("connect", () => (this.#reached = true));
    socket.on("connect_error", (error) => this.#onConnectError(error));
    socket.on("disconnect", () => this.#lost());
  }

  /** Connects at once: for the first time, without waiting for the next attempt, or again after a refusal. */
  open() {
    if (this.state.name === "live" || this.state.name === "closed") return;
    this.#attempt();
  }

  /** Connects anew, whatever the state is: what `auth` says has changed. */
  renew() {
    if (this.state.name !== "closed") this.#attempt();
  }

  /** Disconnects for good. */
  close() {
    this.#disconnect();
    this.setState({ name: "closed" });
  }

  /**
   * Sends a command.
   * @param {string} command @param {object} payload
   * @returns {Promise<object>} the answer, if it is `ok`
   * @throws {Refusal} the server's; or `offline` or `timeout`: then the server may or may not have executed the command
   */
  async send(command, payload) {
    if (!this.#socket.connected) throw new Refusal(this.state.name === "closed" ? "closed" : "offline");
    let answer;
    try {
      answer = await this.#socket.timeout(ANSWER_TIMEOUT).emitWithAck(command, payload);
    } catch {
      // The connection was lost, or it is open but dead. A dead one is replaced.
      const dead = this.#socket.connected;
      if (dead) this.#lost("The server did not answer in time.", "silent");
      throw new Refusal(dead ? "timeout" : "offline");
    }
    if (!answer?.ok) throw Refusal.from(answer?.error);
    return answer;
  }

  #attempt() {
    this.#disconnect();
    this.setState({ ...this.state, name: this.#everLive ? "reconnecting" : "connecting", retryAt: undefined });
    this.#reached = false;
    const timeout = this.#backoff.fresh && !this.#everLive ? FIRST_WELCOME_TIMEOUT : WELCOME_TIMEOUT;
    this.#timer = this.#clock.setTimeout(() => this.#lost("The server does not answer.", "silent"), timeout);
    this.#socket.connect();
  }

  #onEvent(name, data) {
    if (name === "bye") this.#bye = data ?? {};
    if (name === "error" && data?.room === undefined) this.#farewell.hear(data ?? {});
    if (name === "welcome") {
      this.#clock.clearTimeout(this.#timer);
      this.#liveSince = this.#clock.now();
      this.#everLive = true;
      // Before the state: a listener of "live" finds the room up to date.
      this.emit("event", { name, data });
      this.setState({ name: "live" });
      return;
    }
    this.emit("event", { name, data });
    if (name === "bye") this.#lost();
  }

  #onConnectError(error) {
    // An inactive socket means that the server refused. Otherwise the network failed.
    if (this.#socket.active) return this.#lost("The server cannot be reached.", "unreachable");
    this.#reached = true;
    const { text = error.message, reason, code, reconnect, retry_after: retryAfter, until } = error.data ?? {};
    if (reconnect === true) this.#lost(text, reason ?? code, retryAfter);
    else this.#refuse({ text, code: reason ?? code, until });
  }

  /** @param {string} [text] the reason @param {string} [why] the same for programs @param {number} [retryAfter] seconds that the server asks to wait */
  #lost(text, why = "lost", retryAfter = this.#bye?.retry_after) {
    const bye = this.#bye;
    if (bye?.reconnect === false) return this.#refuse(this.#farewell.why(bye));
    if (this.#liveSince !== null && this.#clock.now() - this.#liveSince >= STABLE_AFTER) this.#backoff.reset();
    // Some proxies let a WebSocket hang or close it at once; others lose a long-polling session. `tryAllTransports`
    // handles the failures that it sees. For the others, the next attempt starts with the other transport.
    if (!this.#reached) this.#socket.io.opts.transports.reverse();
    this.#disconnect();
    const delay = this.#backoff.next(retryAfter, bye !== null);
    this.setState({
      name: this.#everLive ? "reconnecting" : "connecting",
      text: bye?.text ?? text ?? "The connection was lost.",
      why: bye?.reason ?? why,
      retryAt: this.#clock.now() + delay,
    });
    this.#timer = this.#clock.setTimeout(() => this.#attempt(), delay);
    if (!this.#everLive && !this.#reached) this.#checkRefusal();
  }

  /** The server was never reached: it may be down, or it may refuse this client for good. */
  async #checkRefusal() {
    const refusal = await this.#diagnose?.();
    if (refusal && this.state.name === "connecting") this.#refuse(refusal);
  }

  #refuse(refusal) {
    this.#disconnect();
    this.setState(refusedState({ ...refusal, text: refusal.text || "The server refused the connection." }));
  }

  /** Disconnects the socket without handling its `disconnect` event. */
  #disconnect() {
    this.#clock.clearTimeout(this.#timer);
    this.#bye = null;
    this.#farewell.forget();
    this.#liveSince = null;
    // Socket.IO would send its buffered commands after the next connect, before the user has joined again.
    this.#socket.sendBuffer.length = 0;
    const listeners = this.#socket.listeners("disconnect");
    this.#socket.off("disconnect");
    this.#socket.disconnect();
    for (const listener of listeners) this.#socket.on("disconnect", listener);
  }
}
