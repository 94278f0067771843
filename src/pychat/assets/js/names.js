/** The names of members who are in the room or in the log, by their ids. Pure. */

export class Names {
  #room;
  #all;

  /** @param {import("./room.js").Room} room */
  constructor(room) {
    this.#room = room;
  }

  /** The present name of a member. @param {string} id @returns {string | undefined} */
  of(id) {
    return this.everOf(id).at(-1);
  }

  /** All known names of a member, also from before a rename; the present one is the last. @param {string} id @returns {string[]} */
  everOf(id) {
    this.#all ??= this.#collect();
    return [...(this.#all.get(id) ?? [])];
  }

  #collect() {
    const { log, people, me } = this.#room;
    const all = new Map();
    const add = ({ id, name }) => {
      if (!name) return;
      if (!all.has(id)) all.set(id, new Set());
      all.get(id).delete(name);
      all.get(id).add(name);
    };
    for (const { author } of log.entries) if (author) add(author);
    for (const member of people.members) add(member);
    if (me) add(me);
    return all;
  }
}
