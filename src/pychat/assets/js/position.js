/** How far this client has read: the epoch and the seq to go on from after a drop. Pure; the log keeps the messages. */

export class Position {
  #epoch = null;
  #seq = 0;
  /** Seqs of our own messages whose answer came before messages that stand before them. */
  #ahead = new Set();

  /** @param {string} epoch @param {number} seq */
  start(epoch, seq) {
    this.#epoch = epoch;
    this.#seq = seq;
    this.#ahead.clear();
  }

  /** A message event came. Events come in order, so nothing from others is missing before it. @param {number} seq */
  read(seq) {
    if (seq > this.#seq) this.#seq = seq;
    this.#catchUp();
  }

  /**
   * Our own message was stored at `seq`. Its answer may overtake messages of others with a lower seq: until
   * those have come, going on from `seq` would lose them.
   * @param {number} seq
   */
  wrote(seq) {
    if (seq > this.#seq) this.#ahead.add(seq);
    this.#catchUp();
  }

  #catchUp() {
    while (this.#ahead.delete(this.#seq + 1)) this.#seq += 1;
    for (const seq of this.#ahead) if (seq <= this.#seq) this.#ahead.delete(seq);
  }

  /** @returns {{epoch: string, seq: number} | undefined} nothing before the first welcome */
  get since() {
    return this.#epoch === null ? undefined : { epoch: this.#epoch, seq: this.#seq };
  }
}
