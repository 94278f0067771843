/**
 * Many rooms on one connection, for one user: version 2 of the protocol. Enters all rooms with one command, brings each
 * event to its room, and keeps what belongs to the user: who they are, the list of their rooms, whom they block.
 */

import { Emitter } from "./emitter.js";
import { Person } from "./person.js";
import { Refusal } from "./refusal.js";
import { GONE, Room } from "./room.js";
import { RoomLink } from "./room-link.js";
import { RoomList } from "./room-list.js";

/** Rooms in one `enter`: a frame has a limit. */
const MAX_ENTERED = 100;

/**
 * Events (`chat.on(event, …)`):
 *
 * - `state` ({name, text?, code?, retryAt?}): the connection changed
 * - `rooms` (RoomList): `chat.list` changed
 * - `blocked` (Set of member ids): whom the user blocks changed
 */
export class Chat extends Emitter {
  /** Member ids. @type {Set<string>} */
  blocked = new Set();
  /** The application's login of the user, as on the wire; `null` for a guest. */
  you = null;
  #connection;
  #options;
  #person;
  #nickname;
  /** @type {Map<string, {link: RoomLink, room: Room}>} */
  #rooms = new Map();
  /** @type {Set<RoomLink>} */
  #entering = new Set();

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {() => number} options.random from 0 to 1, 1 excluded
   * @param {Storage} options.storage
   * @param {string} options.key prefix of all keys in the storage
   * @param {string} [options.name] the nickname to take first in each room
   * @param {boolean} [options.onlyUnread] the list has only the rooms that the user follows
   */
  constructor({ connection, clock, random, storage, key, name, onlyUnread }) {
    super();
    this.#connection = connection;
    this.#options = { clock, random, storage, key };
    this.#nickname = name;
    this.#person = new Person(storage, `${key}person`);
    this.list = new RoomList(connection, { onlyUnread });
    this.list.on("change", () => this.emit("rooms", this.list));
    connection.on("event", ({ name: event, data }) => this.#onEvent(event, data ?? {}));
    connection.on("state", (state) => this.#onState(state));
  }

  /** @returns {import("./link.js").State} */
  get state() {
    return this.#connection.state;
  }

  /** The token of a guest, for the next connection. @returns {string | undefined} */
  get token() {
    return this.#person.token;
  }

  /** The member id of the user, once the server has said it. @returns {string | undefined} */
  get id() {
    return this.#person.current.id;
  }

  /** The rooms that were entered and not left. @returns {Room[]} */
  get rooms() {
    return [...this.#rooms.values()].map(({ room }) => room);
  }

  /**
   * Enters a room, and stays in it over lost connections until `room.close()`.
   * @param {string} name
   * @returns {Room} the same one each time
   */
  enter(name) {
    const known = this.#rooms.get(name);
    if (known) return known.room;
    const { clock, random, storage, key } = this.#options;
    this.#adopt(name);
    const link = new RoomLink({
      name,
      connection: this.#connection,
      clock,
      random,
      enter: (one) => this.#enter(one),
      exit: (_, entered) => this.#exit(name, entered),
    });
    const room = new Room({
      connection: link,
      clock,
      storage,
      key: `${key}${name}`,
      name: this.#nickname,
      identity: this.#person,
      blocks: (id) => this.blocked.has(id),
      read: () => (this.list.known ? this.list.find(name)?.seq : null),
    });
    link.since = () => room.since;
    this.#rooms.set(name, { link, room });
    room.on("welcome", () => this.list.entered(room.about));
    room.on("room", () => this.list.retitled(room.about));
    room.on("read", (seq) => seq >= (room.since?.seq ?? Infinity) && this.list.seen(name));
    room.on("joined", (member) => this.#sameNameElsewhere(room, member));
    link.on("state", (state) => state.name === "refused" && this.list.exited(name, GONE.has(state.code)));
    if (this.state.name === "live") this.#enter(link);
    return room;
  }

  /**
   * Finds or makes the room of the user and other people, and nobody else. Enter it by its name.
   * @param {...string} ids of the other members
   * @returns {Promise<string>} its name
   * @throws {import("./refusal.js").Refusal} such as `blocked`
   */
  async direct(...ids) {
    await this.#connection.ready();
    const { room } = await this.#connection.send("direct", { with: ids });
    return room;
  }

  /** Blocks a person, or ends it. @param {string} id of the member @param {boolean} [on] @throws {import("./refusal.js").Refusal} */
  async block(id, on = true) {
    await this.#connection.ready();
    await this.#connection.send("block", { member: id, on });
    if (on) this.blocked.add(id);
    else this.blocked.delete(id);
    this.emit("blocked", this.blocked);
  }

  /**
   * Connects as the guest of a token, such as a password or an invitation gives; the same guest stays connected. Rooms
   * that were refused before are entered again.
   * @param {string} token
   */
  become(token) {
    if (token === this.token) return;
    this.#person.become(token);
    for (const { link } of this.#rooms.values()) link.forgive();
    this.#connection.renew();
  }

  /** Connects at once: without waiting for the next attempt, or again after a refusal. */
  reconnect() {
    this.#connection.open();
  }

  /** Leaves all rooms and disconnects for good. */
  close() {
    for (const room of this.rooms) room.close();
    this.#connection.close();
  }

  #onEvent(event, data) {
    if (event === "welcome") this.#onWelcome(data);
    else if (event === "unread") this.list.apply(data);
    // `you` is a login only if the connection has one.
    else this.#rooms.get(data.room)?.link.deliver(event, event === "entered" && !this.you ? { ...data, you: undefined } : data);
  }

  #onWelcome(data) {
    this.you = data.you ?? null;
    this.#person.welcomed(data);
    this.blocked = new Set(data.blocked);
    this.emit("blocked", this.blocked);
  }

  #onState(state) {
    if (state.name === "live") this.#list();
    for (const { link } of this.#rooms.values()) link.follow(state);
    this.emit("state", state);
  }

  async #list() {
    await this.list.start();
    for (const room of this.rooms) room.learnRead();
  }

  /** Enters all rooms of this turn with one command. */
  #enter(link) {
    this.#entering.add(link);
    if (this.#entering.size === 1) queueMicrotask(() => this.#enterAll());
  }

  async #enterAll() {
    const links = [...this.#entering];
    this.#entering.clear();
    while (links.length) this.#enterSome(links.splice(0, MAX_ENTERED));
  }

  async #enterSome(links) {
    try {
      const { rooms } = await this.#connection.send("enter", { rooms: links.map((link) => link.request) });
      for (const link of links) if (!rooms[link.name]?.ok) link.refused(Refusal.from(rooms[link.name]?.error));
    } catch (refusal) {
      // Without an answer the connection is lost, and the next one enters again.
      if (refusal.answered) for (const link of links) link.refused(refusal);
    }
  }

  #exit(name, entered) {
    this.#rooms.delete(name);
    this.list.exited(name);
    if (entered && this.state.name === "live") this.#connection.send("exit", { room: name }).catch(() => {});
  }

  /** A person has one name: the other rooms get it, too, where it is available. */
  #sameNameElsewhere(room, { name }) {
    for (const other of this.rooms) {
      if (other !== room && other.joined && other.me?.name !== name && !other.you?.name_fixed) other.join(name).catch(() => {});
    }
  }

  /** Version 1 kept an identity for each room. */
  #adopt(name) {
    const { storage, key } = this.#options;
    try {
      this.#person.adopt(JSON.parse(storage.getItem(`${key}${name}:me`)) ?? {});
    } catch {
      // There is none.
    }
  }
}
