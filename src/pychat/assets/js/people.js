/** The members in the room and the number of connected people. Pure. */

import { Hues } from "./colour.js";

/** @typedef {import("./log.js").Member} Member */

export class People {
  /** How many people are connected, with or without a name. */
  here = 0;
  /** False in a large room: the server sends no names, and `who` asks for them. */
  listed = true;
  /** @type {Map<string, Member>} in the order of their joins */
  #members = new Map();
  /** Roles by member id since the last reset. Members who left stay in it: they are still authors of messages. @type {Map<string, string[]>} */
  #roles = new Map();
  #hues = new Hues();

  /** @param {{here: number, members?: Member[], listed?: boolean}} data as on the wire */
  reset({ here, members = [], listed = true }) {
    this.here = here;
    this.listed = listed;
    this.#members.clear();
    this.#roles.clear();
    this.#hues.reset(members.map(({ id }) => id));
    for (const member of members) this.#set(member);
  }

  /**
   * @param {{here: number, joined?: Member[], left?: string[], renamed?: Member[], members?: Member[], listed?: boolean}} presence
   * @returns {{joined: Member[], left: Member[], renamed: {from: Member, to: Member}[]}} what changed
   */
  apply({ here, joined = [], left = [], renamed = [], members, listed = true }) {
    const changes = { joined: [], left: [], renamed: [] };
    this.here = here;
    this.listed = listed;
    if (members) {
      this.reset({ here, members, listed });
      return changes;
    }
    if (!listed) {
      this.#members.clear();
      this.#hues.reset([]);
      return changes;
    }
    for (const id of left) {
      const member = this.#members.get(id);
      if (member) changes.left.push(member);
      this.#members.delete(id);
      this.#hues.leave(id);
    }
    for (const member of joined) {
      if (!this.#members.has(member.id)) changes.joined.push(member);
      this.#set(member);
    }
    for (const to of renamed) {
      const from = this.#members.get(to.id);
      if (from && from.name !== to.name) changes.renamed.push({ from, to });
      this.#set(to);
    }
    return changes;
  }

  /** Adds a member, if members are listed. @param {Member} member */
  put(member) {
    if (this.listed) this.#set(member);
  }

  /** The roles of a member; empty if they are not known. @param {string} id @returns {readonly string[]} */
  rolesOf(id) {
    return this.#roles.get(id) ?? [];
  }

  /** The hue of a member's colour. @param {string} id @returns {number} */
  hueOf(id) {
    return this.#hues.of(id);
  }

  /** All roles as one text, to compare. @returns {string} */
  get roles() {
    return JSON.stringify([...this.#roles]);
  }

  #set(member) {
    this.#hues.enter(member.id);
    this.#members.set(member.id, member);
    if (member.roles?.length) this.#roles.set(member.id, member.roles);
    else this.#roles.delete(member.id);
  }

  /** @returns {Member[]} */
  get members() {
    return [...this.#members.values()];
  }

  /** How many people have no name. 0 if members are not listed. */
  get guests() {
    return this.listed ? Math.max(0, this.here - this.#members.size) : 0;
  }
}
