/** The members who are typing now. Entries expire; the caller passes the present time. */

import { list, t } from "./words.js";

/** @typedef {import("./log.js").Member} Member */

/** Milliseconds until an entry expires, as on the server. */
const LIFETIME = 6000;

export class Typists {
  /** @type {Map<string, {member: Member, until: number}>} */
  #typing = new Map();

  /** @param {Member} member @param {boolean} on @param {number} now milliseconds */
  set(member, on, now) {
    if (on) this.#typing.set(member.id, { member, until: now + LIFETIME });
    else this.#typing.delete(member.id);
  }

  clear() {
    this.#typing.clear();
  }

  /** @param {number} now @returns {Member[]} */
  at(now) {
    for (const [id, { until }] of this.#typing) if (until <= now) this.#typing.delete(id);
    return [...this.#typing.values()].map(({ member }) => member);
  }

  /** When the next entry expires. @returns {number | undefined} milliseconds */
  get expiry() {
    return this.#typing.size ? Math.min(...[...this.#typing.values()].map(({ until }) => until)) : undefined;
  }
}

/** @param {Member[]} members @returns {string} */
export function typingWords(members) {
  const names = members.slice(0, 2).map(({ name }) => `\u2068${name}\u2069`);
  const more = members.length - names.length;
  if (more > 0) names.push(t("notice.others", { count: more }));
  return names.length ? t("typing.people", { count: members.length, names: list(names) }) : "";
}
