/**
 * One room on a connection that has many: it has the events, commands and states of a connection of its own. The server
 * can end it alone, with `exited`; then it returns after a delay, unless the server refused.
 */

import { Backoff } from "./backoff.js";
import { Farewell, refusedState } from "./farewell.js";
import { Link } from "./link.js";
import { Refusal } from "./refusal.js";
import { isTemporary } from "./retry.js";

export class RoomLink extends Link {
  /** Returns the position to recover from. @type {() => object | undefined} */
  since = () => undefined;
  #connection;
  #clock;
  #backoff;
  #enter;
  #exit;
  #timer;
  #everLive = false;
  /** Whether the server refused this room, whatever becomes of the connection. */
  #out = false;
  #farewell = new Farewell();

  /**
   * @param {object} options
   * @param {string} options.name of the room
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {() => number} options.random from 0 to 1, 1 excluded
   * @param {(link: RoomLink) => void} options.enter sends `enter`, and calls `refused` if the server refuses
   * @param {(link: RoomLink) => void} options.exit sends `exit`
   */
  constructor({ name, connection, clock, random, enter, exit }) {
    super();
    this.name = name;
    this.#connection = connection;
    this.#clock = clock;
    this.#backoff = new Backoff(random);
    this.#enter = enter;
    this.#exit = exit;
    this.state = connection.state.name === "live" ? { name: "connecting" } : connection.state;
  }

  /** As `enter` names it. @returns {{name: string, since?: object}} */
  get request() {
    const since = this.since();
    return since ? { name: this.name, since } : { name: this.name };
  }

  /** Enters at once: for the first time, without waiting for the next attempt, or again after a refusal. */
  open() {
    if (this.state.name === "live" || this.state.name === "closed") return;
    this.#clock.clearTimeout(this.#timer);
    this.#out = false;
    this.#wait();
    if (this.#connection.state.name === "live") this.#enter(this);
    else this.#connection.open();
  }

  /** Leaves the room for good; the connection stays. */
  close() {
    if (this.state.name === "closed") return;
    this.#clock.clearTimeout(this.#timer);
    const entered = this.state.name === "live";
    this.setState({ name: "closed" });
    this.#exit(this, entered);
  }

  /** Sends a command for this room. @param {string} command @param {object} payload @returns {Promise<object>} @throws {Refusal} */
  async send(command, payload) {
    if (this.state.name !== "live") throw new Refusal(this.state.name === "closed" ? "closed" : "offline");
    return this.#connection.send(command, { room: this.name, ...payload });
  }

  // What the chat reports

  /** The connection changed. @param {import("./link.js").State} state */
  follow(state) {
    if (this.state.name === "closed" || (this.#out && state.name !== "closed")) return;
    this.#clock.clearTimeout(this.#timer);
    if (state.name === "live") {
      this.#wait();
      this.#enter(this);
    } else this.setState(state.name === "connecting" || state.name === "reconnecting" ? { ...state, name: this.#waiting } : state);
  }

  /** The user is somebody else now: a refusal counts no more, and the next connection enters again. */
  forgive() {
    if (this.state.name !== "refused") return;
    this.#out = false;
    this.#wait();
  }

  /** `enter` was refused for this room. @param {Refusal} refusal */
  refused(refusal) {
    if (this.state.name === "live" || this.state.name === "closed") return;
    if (isTemporary(refusal)) this.#lost(refusal.text, refusal.retryAfter);
    else this.#refuse(refusal);
  }

  /** An event for this room. @param {string} name @param {object} data */
  deliver(name, data) {
    if (this.state.name === "closed") return;
    if (name === "exited") this.#onExited(data);
    else if (name === "entered") this.#onEntered(data);
    else {
      if (name === "error") this.#farewell.hear(data);
      this.emit("event", { name, data });
    }
  }

  #onEntered(data) {
    this.#clock.clearTimeout(this.#timer);
    this.#backoff.reset();
    this.#everLive = true;
    // Before the state, as a connection does: a listener of "live" finds the room up to date.
    this.emit("event", { name: "welcome", data: { ...data, room: { name: data.room, title: data.title ?? data.room } } });
    this.setState({ name: "live" });
  }

  #onExited(exited) {
    const why = this.#farewell.why(exited);
    if (exited.reconnect) this.#lost(exited.text, exited.retry_after);
    else this.#refuse(why);
  }

  #lost(text, retryAfter) {
    const delay = this.#backoff.next(retryAfter, true);
    this.setState({ name: this.#waiting, text: text ?? "The room was closed.", retryAt: this.#clock.now() + delay });
    this.#timer = this.#clock.setTimeout(() => this.open(), delay);
  }

  #refuse(refusal) {
    this.#out = true;
    this.setState(refusedState(refusal));
  }

  #wait() {
    this.setState({ ...this.state, name: this.#waiting, retryAt: undefined });
  }

  get #waiting() {
    return this.#everLive ? "reconnecting" : "connecting";
  }
}
