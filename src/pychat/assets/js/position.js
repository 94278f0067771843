/**
 * The position to recover from after a lost connection: epoch, seq, and the id of the event with that seq, by which the
 * server recognises its own log. Pure; the log keeps the messages.
 */

export class Position {
  #epoch = null;
  #seq = 0;
  /** @type {string | undefined} */
  #id;
  /** Ids by seq of the user's messages that are stored after events that have not arrived yet. @type {Map<number, string | undefined>} */
  #ahead = new Map();

  /** @param {string} epoch @param {number} seq @param {string} [id] */
  start(epoch, seq, id) {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#id = id;
    this.#ahead.clear();
  }

  /** Advances to an event that arrived. Events arrive in order, so none before it is missing. @param {number} seq @param {string} [id] */
  read(seq, id) {
    if (seq > this.#seq) this.#advance(seq, id);
    this.#catchUp();
  }

  /**
   * The server stored a message of the user at `seq`. Its answer may overtake events with a lower seq: until they
   * arrive, recovering from `seq` would lose them.
   * @param {number} seq @param {string} [id]
   */
  wrote(seq, id) {
    if (seq > this.#seq) this.#ahead.set(seq, id);
    this.#catchUp();
  }

  #advance(seq, id) {
    this.#seq = seq;
    this.#id = id;
  }

  #catchUp() {
    for (let next; this.#ahead.has((next = this.#seq + 1)); ) this.#advance(next, this.#ahead.get(next));
    for (const seq of this.#ahead.keys()) if (seq <= this.#seq) this.#ahead.delete(seq);
  }

  /** @returns {{epoch: string, seq: number, id?: string} | undefined} `undefined` before the first welcome */
  get since() {
    if (this.#epoch === null) return undefined;
    return { epoch: this.#epoch, seq: this.#seq, ...(this.#id && { id: this.#id }) };
  }
}
