/** Who is here: the list of members and the number of people connected. Pure. */

/** @typedef {import("./log.js").Member} Member */

export class People {
  /** Connected, with a name or without. */
  here = 0;
  /** False in a crowd, when the server lists no names and `who` has to be asked. */
  listed = true;
  /** @type {Map<string, Member>} in the order of joining */
  #members = new Map();
  /** Of those who have some, since the last reset: who has left is still the author of what stands there. @type {Map<string, string[]>} */
  #roles = new Map();

  /** @param {{here: number, members?: Member[], listed?: boolean}} told */
  reset({ here, members = [], listed = true }) {
    this.here = here;
    this.listed = listed;
    this.#members.clear();
    this.#roles.clear();
    for (const member of members) this.#set(member);
  }

  /**
   * @param {{here: number, joined?: Member[], left?: string[], renamed?: Member[], members?: Member[], listed?: boolean}} presence
   * @returns {{joined: Member[], left: Member[], renamed: {from: Member, to: Member}[]}} what was news to us
   */
  apply({ here, joined = [], left = [], renamed = [], members, listed = true }) {
    const news = { joined: [], left: [], renamed: [] };
    this.here = here;
    this.listed = listed;
    if (members) {
      this.reset({ here, members, listed });
      return news;
    }
    if (!listed) {
      this.#members.clear();
      return news;
    }
    for (const id of left) {
      const member = this.#members.get(id);
      if (member) news.left.push(member);
      this.#members.delete(id);
    }
    for (const member of joined) {
      if (!this.#members.has(member.id)) news.joined.push(member);
      this.#set(member);
    }
    for (const to of renamed) {
      const from = this.#members.get(to.id);
      if (from && from.name !== to.name) news.renamed.push({ from, to });
      this.#set(to);
    }
    return news;
  }

  /** One that we know of by other ways: ourselves. @param {Member} member */
  put(member) {
    if (this.listed) this.#set(member);
  }

  /** What the application gave them, as far as it is known here. @param {string} id @returns {readonly string[]} */
  rolesOf(id) {
    return this.#roles.get(id) ?? [];
  }

  /** Everybody's, as one text to compare. @returns {string} */
  get roles() {
    return JSON.stringify([...this.#roles]);
  }

  #set(member) {
    this.#members.set(member.id, member);
    if (member.roles?.length) this.#roles.set(member.id, member.roles);
    else this.#roles.delete(member.id);
  }

  /** @returns {Member[]} */
  get members() {
    return [...this.#members.values()];
  }

  /** People connected who have no name. A guess in a crowd, where names are not listed: then 0. */
  get guests() {
    return this.listed ? Math.max(0, this.here - this.#members.size) : 0;
  }
}
