/**
 * The rooms of the user: those they follow, with what they have not read there, and those that the server lists. The
 * server sends the changes, without the rooms being entered.
 */

import { Emitter } from "./emitter.js";
import { t } from "./words.js";

/** Rooms in a page of listed ones. */
const PAGE = 100;

/**
 * @typedef {object} ListedRoom
 * @property {string} name
 * @property {string} title
 * @property {number} messages unread ones
 * @property {number} mentions of the user among them
 * @property {number} [seq] where reading stopped; only in rooms that the user follows
 * @property {import("./log.js").Member[]} [direct] the people of a direct room
 */

/** Emits `change` when `rooms` has changed. */
export class RoomList extends Emitter {
  /** Whether the server has more listed rooms; `more()` fetches them. */
  hasMore = false;
  /** Whether the server has answered. */
  known = false;
  /** @type {Map<string, ListedRoom>} */
  #followed = new Map();
  /** @type {Map<string, {name: string, title: string}>} */
  #listed = new Map();
  /** Rooms that are entered: also those that nobody lists. @type {Map<string, {name: string, title: string}>} */
  #entered = new Map();
  #link;
  #onlyUnread;

  /**
   * @param {import("./link.js").Link & {send(command: string, payload: object): Promise<object>}} link
   * @param {object} [options]
   * @param {boolean} [options.onlyUnread] do not ask for rooms that the user does not follow
   */
  constructor(link, { onlyUnread = false } = {}) {
    super();
    this.#link = link;
    this.#onlyUnread = onlyUnread;
  }

  /** @returns {ListedRoom[]} */
  get rooms() {
    const names = new Set([...this.#followed.keys(), ...this.#listed.keys(), ...this.#entered.keys()]);
    return [...names].map((name) => this.find(name));
  }

  /** The name of the first room that the server lists. @returns {string | undefined} */
  get firstListed() {
    return this.#listed.keys().next().value;
  }

  /** @param {string} name @returns {ListedRoom | undefined} */
  find(name) {
    const found = this.#followed.get(name) ?? this.#entered.get(name) ?? this.#listed.get(name);
    if (!found) return undefined;
    // The room itself says its title first.
    const { title } = (!found.direct && this.#entered.get(name)) || found;
    return { messages: 0, mentions: 0, ...found, title };
  }

  /** Asks the server for everything; call it on each connection. */
  async start() {
    const [followed, listed] = await Promise.all([this.#ask("unread", { on: true }), this.#onlyUnread ? undefined : this.#ask("rooms", { limit: PAGE })]);
    if (followed) this.#followed = byName(followed.rooms);
    if (listed) this.#setListed(byName(listed.rooms), listed.more);
    this.known = true;
    this.emit("change");
  }

  /** Fetches more of the listed rooms. */
  async more() {
    const listed = await this.#ask("rooms", { limit: PAGE, after: [...this.#listed.keys()].at(-1) });
    if (!listed) return;
    this.#setListed(new Map([...this.#listed, ...byName(listed.rooms)]), listed.more);
    this.emit("change");
  }

  /** Applies an `unread` event. @param {{rooms: object[]}} data as on the wire */
  apply({ rooms }) {
    for (const { gone, ...room } of rooms) {
      if (gone) this.#drop(room.name);
      else this.#followed.set(room.name, { ...this.#followed.get(room.name), ...room });
    }
    this.emit("change");
  }

  /** What a page lists already, until the server answers. @param {{name: string, title: string}[]} rooms */
  begin(rooms) {
    this.#listed = byName(rooms);
  }

  /** The user is in a room. @param {{name: string, title: string}} room */
  entered({ name, title }) {
    this.#entered.set(name, { name, title });
    this.emit("change");
  }

  /** A room has another title now. @param {{name: string, title: string}} room */
  retitled({ name, title }) {
    for (const rooms of [this.#followed, this.#listed, this.#entered]) if (rooms.has(name)) rooms.set(name, { ...rooms.get(name), title });
    this.emit("change");
  }

  /** The user is not in a room any more. @param {string} name @param {boolean} [gone] whether there is no way back */
  exited(name, gone = false) {
    this.#entered.delete(name);
    if (gone) this.#drop(name);
    this.emit("change");
  }

  /** The user saw the newest message of a room; the server's count follows within a second. @param {string} name */
  seen(name) {
    const room = this.#followed.get(name);
    if (!room || (!room.messages && !room.mentions)) return;
    this.#followed.set(name, { ...room, messages: 0, mentions: 0 });
    this.emit("change");
  }

  #drop(name) {
    this.#followed.delete(name);
    this.#listed.delete(name);
  }

  #setListed(rooms, more) {
    this.#listed = rooms;
    this.hasMore = !!more;
  }

  /** The answer; `undefined` without one, or from a server that keeps no such list. */
  async #ask(command, payload) {
    try {
      return await this.#link.send(command, payload);
    } catch {
      return undefined;
    }
  }
}

function byName(rooms = []) {
  return new Map(rooms.map((room) => [room.name, room]));
}

/** The title of a room for the user: a direct room has the names of the others. @param {ListedRoom} room @param {string} [id] of the user */
export function titleOf({ name, title, direct }, id) {
  const others = (direct ?? []).filter((member) => member.id !== id).map((member) => member.name || t("people.deleted"));
  return others.join(", ") || title || name;
}
