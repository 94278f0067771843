/** Why the server ends a connection or a room for the user: an `error` event says it in full, just before the end. */

import { Refusal } from "./refusal.js";

/** The codes of such errors, with the reason for the end. docs/reference/errors.md lists both. */
const REASONS = new Map([
  ["kicked", "kicked"],
  ["banned", "banned"],
  ["room_closed", "closed"],
  ["entry_required", "entry_required"],
  ["challenge_required", "entry_required"],
]);

export class Farewell {
  #error;

  /** An `error` event came. @param {{code?: string}} error as on the wire */
  hear(error) {
    if (REASONS.has(error.code)) this.#error = error;
  }

  /**
   * The end came. Forgets what was heard.
   * @param {{reason?: string, text?: string, error?: object}} end `bye` or `exited`, as on the wire
   * @returns {Refusal} why; its code is that of the error, or the reason
   */
  why({ reason, text, error }) {
    const heard = this.#error && REASONS.get(this.#error.code) === reason ? this.#error : undefined;
    const said = error ?? heard;
    this.#error = undefined;
    const code = reason === "closed" ? "room_closed" : reason;
    return Refusal.from({ code, ...said, text: said?.text || text });
  }

  /** Forgets what was heard: this is another connection. */
  forget() {
    this.#error = undefined;
  }
}

/** The state of a link that the server refuses for good. @param {Refusal} refusal @returns {import("./link.js").State} */
export function refusedState({ code, text, until }) {
  return { name: "refused", text, ...(code && { code }), ...(until && { until }) };
}
