/** How long to wait before the next attempt to connect. Pure. */

const FIRST_DELAY = 500;
/** Plus up to half of it at random: all clients are back within 9 seconds after the server is. */
const MAX_DELAY = 6_000;
/** The longest wait that a server can ask for: timers of browsers end at 24 days. */
const MAX_RETRY_AFTER = 86_400_000;

export class Backoff {
  #failures = 0;
  #random;

  /** @param {() => number} random from 0 to 1, 1 excluded */
  constructor(random) {
    this.#random = random;
  }

  /** Whether no attempt failed since the last success. */
  get fresh() {
    return this.#failures === 0;
  }

  /** The last connection was a success. */
  reset() {
    this.#failures = 0;
  }

  /**
   * Counts a failure.
   * @param {number} [retryAfter] seconds that the server asks to wait
   * @param {boolean} [told] whether the server announced the end; it announces it to all clients at once
   * @returns {number} milliseconds to wait. After an announced end each waits half a second to two seconds, so that
   *   they do not return together. If the server asks for a longer wait, each waits that long and up to half of it more.
   */
  next(retryAfter, told = false) {
    const asked = Math.min(MAX_RETRY_AFTER, (Number(retryAfter) || 0) * 1000) * (1 + this.#random() / 2);
    const own = told && this.fresh ? 500 + 1500 * this.#random() : Math.min(MAX_DELAY, FIRST_DELAY * 2 ** this.#failures) * (0.5 + this.#random());
    this.#failures += 1;
    return Math.max(asked, own);
  }
}
