/**
 * Which stretches of the room's log are not known here: before the oldest message, and where a page from the middle
 * was fetched, around it. Pure; knows numbers only.
 */

/** @typedef {{from: number, to: number}} Gap messages numbered between the two, both excluded, are not known */

export class Gaps {
  /** @type {Gap[]} oldest first */
  list = [];

  /** All is known from now on, but what stands before number `to`. @param {number} [to] nothing is missing without it */
  reset(to) {
    this.list = to === undefined ? [] : [{ from: 0, to }];
  }

  /** The numbers from `low` to `high`, without the latter, are known now. @param {number} low @param {number} high */
  learn(low, high) {
    this.list = this.list.flatMap(({ from, to }) => {
      if (high <= from + 1 || low >= to) return [{ from, to }];
      const rest = [];
      if (from < low - 1) rest.push({ from, to: low });
      if (high < to) rest.push({ from: high - 1, to });
      return rest;
    });
  }

  /** What is numbered between the two is not known any more. @param {number} from @param {number} to */
  forget(from, to) {
    const touched = this.list.filter((gap) => gap.from < to && gap.to > from);
    const whole = { from: Math.min(from, ...touched.map((gap) => gap.from)), to: Math.max(to, ...touched.map((gap) => gap.to)) };
    this.list = [...this.list.filter((gap) => !touched.includes(gap)), whole].sort((a, b) => a.from - b.from);
  }

  /** Whether all before the oldest known message is missing. @returns {boolean} */
  get open() {
    return this.list[0]?.from === 0;
  }
}
