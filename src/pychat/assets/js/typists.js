/** Who is writing just now. Forgets by itself; takes the time, never reads a clock. */

/** @typedef {import("./log.js").Member} Member */

/** As long as the server lets it stand without hearing it again. */
const LASTS = 6000;

export class Typists {
  /** @type {Map<string, {member: Member, until: number}>} */
  #writing = new Map();

  /** @param {Member} member @param {boolean} on @param {number} now milliseconds */
  set(member, on, now) {
    if (on) this.#writing.set(member.id, { member, until: now + LASTS });
    else this.#writing.delete(member.id);
  }

  clear() {
    this.#writing.clear();
  }

  /** @param {number} now @returns {Member[]} */
  at(now) {
    for (const [id, { until }] of this.#writing) if (until <= now) this.#writing.delete(id);
    return [...this.#writing.values()].map(({ member }) => member);
  }

  /** When the next one will be forgotten. @returns {number | undefined} milliseconds */
  get expiry() {
    return this.#writing.size ? Math.min(...[...this.#writing.values()].map(({ until }) => until)) : undefined;
  }
}

/** @param {Member[]} members @returns {string} */
export function typingWords(members) {
  const names = members.map(({ name }) => `\u2068${name}\u2069`);
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing`;
  if (names.length === 2) return `${names[0]} and ${names[1]} are typing`;
  return `${names[0]}, ${names[1]} and ${names.length - 2 === 1 ? "one other" : `${names.length - 2} others`} are typing`;
}
