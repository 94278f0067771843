/**
 * How far this client has read: the epoch and the seq to go on from after a drop, and the id of the event of that seq,
 * by which the server knows its own log. Pure; the log keeps the messages.
 */

export class Position {
  #epoch = null;
  #seq = 0;
  /** @type {string | undefined} */
  #id;
  /** Our own messages whose answer came before messages that stand before them: ids by seq. @type {Map<number, string | undefined>} */
  #ahead = new Map();

  /** @param {string} epoch @param {number} seq @param {string} [id] */
  start(epoch, seq, id) {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#id = id;
    this.#ahead.clear();
  }

  /** An event came. Events come in order, so nothing from others is missing before it. @param {number} seq @param {string} [id] */
  read(seq, id) {
    if (seq > this.#seq) this.#go(seq, id);
    this.#catchUp();
  }

  /**
   * Our own message was stored at `seq`. Its answer may overtake messages of others with a lower seq: until
   * those have come, going on from `seq` would lose them.
   * @param {number} seq @param {string} [id]
   */
  wrote(seq, id) {
    if (seq > this.#seq) this.#ahead.set(seq, id);
    this.#catchUp();
  }

  #go(seq, id) {
    this.#seq = seq;
    this.#id = id;
  }

  #catchUp() {
    for (let next; this.#ahead.has((next = this.#seq + 1)); ) this.#go(next, this.#ahead.get(next));
    for (const seq of this.#ahead.keys()) if (seq <= this.#seq) this.#ahead.delete(seq);
  }

  /** @returns {{epoch: string, seq: number, id?: string} | undefined} nothing before the first welcome */
  get since() {
    if (this.#epoch === null) return undefined;
    return { epoch: this.#epoch, seq: this.#seq, ...(this.#id && { id: this.#id }) };
  }
}
