/**
 * Ranges of the room's log that this client has not fetched: before the oldest message, and around pages that were
 * fetched from the middle. Pure; works with sequence numbers only.
 */

/** @typedef {{from: number, to: number}} Gap the messages between these numbers, both excluded, are missing */

export class Gaps {
  /** @type {Gap[]} oldest first */
  list = [];

  /** Leaves one gap before number `to`. @param {number} [to] without it there is no gap */
  reset(to) {
    this.list = to === undefined ? [] : [{ from: 0, to }];
  }

  /** Removes the numbers from `low` up to `high`, `high` excluded, from the gaps. @param {number} low @param {number} high */
  learn(low, high) {
    this.list = this.list.flatMap(({ from, to }) => {
      if (high <= from + 1 || low >= to) return [{ from, to }];
      const rest = [];
      if (from < low - 1) rest.push({ from, to: low });
      if (high < to) rest.push({ from: high - 1, to });
      return rest;
    });
  }

  /** Adds the numbers between `from` and `to` to the gaps. @param {number} from @param {number} to */
  forget(from, to) {
    const touched = this.list.filter((gap) => gap.from < to && gap.to > from);
    const whole = { from: Math.min(from, ...touched.map((gap) => gap.from)), to: Math.max(to, ...touched.map((gap) => gap.to)) };
    this.list = [...this.list.filter((gap) => !touched.includes(gap)), whole].sort((a, b) => a.from - b.from);
  }

  /** Whether messages before the oldest fetched one are missing. @returns {boolean} */
  get open() {
    return this.list[0]?.from === 0;
  }
}
