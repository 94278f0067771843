/** How far the user has read a room, told to the server at most once a second. It only moves forward. */

/** Milliseconds. */
const INTERVAL = 1000;

export class ReadPosition {
  /** The newest number that was seen. */
  seq = 0;
  /** Whether it is known; until then it does not move. */
  known = true;
  #told = 0;
  #epoch;
  #link;
  #clock;
  #timer;

  /**
   * @param {object} options
   * @param {import("./link.js").Link & {send(command: string, payload: object): Promise<object>}} options.link
   * @param {{setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   */
  constructor({ link, clock }) {
    this.#link = link;
    this.#clock = clock;
  }

  /**
   * Applies a welcome.
   * @param {string} epoch of the log
   * @param {number | null | undefined} read where reading stopped, as the server knows it; `null` if it will be learnt
   * @param {number} newest the number of the newest event
   */
  start(epoch, read, newest) {
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.known = read !== null;
      this.seq = this.#told = Math.min(read ?? newest, newest);
    } else if (typeof read === "number") {
      this.#told = read;
      this.seq = Math.max(this.seq, read); // another device may have read further
    }
    if (this.seq > this.#told) this.#timer ??= this.#clock.setTimeout(() => this.#tell(), INTERVAL);
  }

  /** Where reading stopped is known now. @param {number | undefined} read `undefined` for the newest event */
  learn(read) {
    if (this.known) return;
    this.known = true;
    this.seq = this.#told = Math.min(read ?? this.seq, this.seq);
  }

  /** The user saw all messages up to number `seq`. @param {number} seq @returns {boolean} whether it moved */
  advance(seq) {
    if (!this.known || seq <= this.seq) return false;
    this.seq = seq;
    if (this.#timer === undefined) {
      this.#tell();
      this.#timer = this.#clock.setTimeout(() => this.#tell(), INTERVAL);
    }
    return true;
  }

  /** Cancels the timer, and tells the server what waits. */
  close() {
    this.#clock.clearTimeout(this.#timer);
    this.#tell();
  }

  #tell() {
    this.#timer = undefined;
    if (this.seq <= this.#told || this.#link.state.name !== "live") return;
    this.#told = this.seq;
    // A refused `read` has no effect for the user.
    this.#link.send("read", { seq: this.seq }).catch(() => {});
  }
}
