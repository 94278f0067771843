/** Joins, leaves and renames, summed up in one line. Pure. */

import { list, t } from "./words.js";

/** @typedef {import("./log.js").Member} Member */

const MAX_NAMES = 3;

export class Notice {
  #joined = new Map();
  #left = new Map();
  #renamed = new Map();

  /**
   * Adds changes. A join and a leave of the same member cancel each other, as in a reload.
   * @param {{joined?: Member[], left?: Member[], renamed?: {from: Member, to: Member}[]}} changes
   */
  add({ joined = [], left = [], renamed = [] }) {
    for (const member of left) if (!this.#joined.delete(member.id)) this.#left.set(member.id, member);
    for (const member of joined) {
      const before = this.#left.get(member.id);
      if (!this.#left.delete(member.id)) this.#joined.set(member.id, member);
      else if (before.name !== member.name) this.#rename(before, member);
    }
    for (const { from, to } of renamed) {
      if (this.#joined.has(to.id)) this.#joined.set(to.id, to);
      else this.#rename(from, to);
    }
  }

  /** Removes the join of a member: it is the user's own. @param {string} id */
  forget(id) {
    this.#joined.delete(id);
  }

  #rename(from, to) {
    const first = this.#renamed.get(to.id)?.from ?? from;
    if (first.name === to.name) this.#renamed.delete(to.id);
    else this.#renamed.set(to.id, { from: first, to });
  }

  /** @returns {string} empty if all changes cancelled each other */
  get text() {
    return [
      ...(this.#joined.size ? [told("notice.joined", [...this.#joined.values()])] : []),
      ...(this.#left.size ? [told("notice.left", [...this.#left.values()])] : []),
      ...[...this.#renamed.values()].slice(0, MAX_NAMES).map(({ from, to }) => t("notice.renamed", { before: quote(from), now: quote(to) })),
      ...(this.#renamed.size > MAX_NAMES ? [t("notice.more-renamed", { count: this.#renamed.size - MAX_NAMES })] : []),
    ].join(" · ");
  }
}

// Isolated, so that a right-to-left name does not reverse the line.
const quote = ({ name }) => `\u2068${name}\u2069`;

function told(key, members) {
  const names = members.slice(0, MAX_NAMES).map(quote);
  const more = members.length - names.length;
  return t(key, { count: members.length, names: list(more > 0 ? [...names, t("notice.others", { count: more })] : names) });
}
