/** What a room needs of its connection, whether it has one of its own (connection.js) or shares one (room-link.js). */

import { Emitter } from "./emitter.js";
import { Refusal } from "./refusal.js";

/**
 * @typedef {object} State
 * @property {"connecting" | "live" | "reconnecting" | "refused" | "closed"} name
 * @property {string} [text] the reason, for people
 * @property {string} [code] the reason, for programs; only if `refused`
 * @property {string} [why] the reason, for programs; only while waiting
 * @property {string} [until] when the refusal ends, ISO 8601, if it does
 * @property {number} [retryAt] when the next attempt starts, in milliseconds of the clock; only while waiting
 */

/** Emits `state` (State), and `event` ({name, data}) for each event from the server. */
export class Link extends Emitter {
  /** @type {State} */
  state = { name: "connecting" };

  /** Resolves while the link is live. Waits for the first time, but never for a lost one. @throws {Refusal} */
  ready() {
    return new Promise((resolve, reject) => {
      const settle = ({ name, text }) => {
        if (name === "live") resolve();
        else if (name === "refused") reject(new Refusal("offline", text));
        else if (name === "connecting") return false;
        else reject(new Refusal(name === "closed" ? "closed" : "offline"));
        return true;
      };
      if (settle(this.state)) return;
      const stop = this.on("state", (state) => settle(state) && stop());
    });
  }

  /** @param {State} state */
  setState(state) {
    this.state = state;
    this.emit("state", state);
  }
}
