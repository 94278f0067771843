/**
 * How a room is kept in order: what moderators have set, the role of the user, and what moderators ask of the server.
 */

import { Emitter } from "./emitter.js";

/**
 * @typedef {object} Settings as on the wire
 * @property {string} topic
 * @property {number} slow seconds between two messages of one person; 0 is no limit
 * @property {"all" | "members" | "moderators"} writing who may write
 * @property {"open" | "ask" | "members" | "closed"} entry who may come in
 * @property {{seq: number, author: string, text: string}[]} pinned messages
 *
 * @typedef {{until?: string, reason?: string}} Mute `until` is ISO 8601; without it the mute has no end
 * @typedef {{reports: number, held: number, asking: number}} Queue how much waits for moderators
 * @typedef {{action: string, member?: string, reason?: string, seconds?: number}} Action docs/reference/wire.md lists all
 */

const DEFAULTS = { topic: "", slow: 0, writing: "all", entry: "open", pinned: [] };

/** Emits `room` (Settings), `access` (string[] | undefined) and `queue` (Queue), as Room does. */
export class Moderation extends Emitter {
  /** @type {Settings} */
  settings = DEFAULTS;
  /** @type {"owner" | "moderator" | "member" | "guest" | "reader"} */
  role = "guest";
  /** @type {Mute | null} */
  muted = null;
  /** @type {Queue | null} `null` unless the user is a moderator */
  queue = null;
  /** The permissions of the user; `undefined` are the usual ones. @type {string[] | undefined} */
  access;
  #connection;

  /** @param {import("./link.js").Link} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
  }

  /** A welcome has only what differs from the defaults. @param {object} welcome as on the wire */
  start(welcome) {
    this.#set(welcome);
    this.#allow(welcome);
    this.queue = welcome.queue ?? null;
  }

  /** @param {object} told the event `room` */
  change(told) {
    this.#set(told);
    this.emit("room", this.settings);
  }

  /** @param {object} told the event `access` */
  permit(told) {
    this.#allow(told);
    if (!this.access?.includes("moderate")) this.queue = null;
    this.emit("access", this.access);
  }

  /** @param {Queue} queue the event `queue` */
  count({ reports = 0, held = 0, asking = 0 }) {
    this.queue = { reports, held, asking };
    this.emit("queue", this.queue);
  }

  /** @param {string} command @param {object} fields @returns {Promise<object>} the answer @throws {import("./refusal.js").Refusal} */
  async ask(command, fields) {
    await this.#connection.ready();
    const { ok, ...answer } = await this.#connection.send(command, fields);
    return answer;
  }

  #set({ topic, slow, writing, entry, pinned }) {
    const given = Object.entries({ topic, slow, writing, entry, pinned }).filter(([, value]) => value !== undefined);
    this.settings = { ...DEFAULTS, ...Object.fromEntries(given) };
  }

  #allow({ access, role, muted }) {
    this.access = access;
    this.role = role ?? "guest";
    this.muted = muted ?? null;
  }
}
