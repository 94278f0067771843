/**
 * One room for one user: what programs call, and the events of the wire handed to the part that owns them. The timeline
 * keeps the stored messages, outgoing the user's unsent ones, presence who else is in the room, and membership who the
 * user is. Touches neither the page nor the network.
 */

import { Emitter } from "./emitter.js";
import { Identity } from "./identity.js";
import { Log, toMessage } from "./log.js";
import { Membership } from "./membership.js";
import { Moderation } from "./moderation.js";
import { Outgoing } from "./outgoing.js";
import { Presence } from "./presence.js";
import { ReadPosition } from "./read-position.js";
import { Refusal } from "./refusal.js";
import { REVISIONS } from "./revision.js";
import { Timeline } from "./timeline.js";

/**
 * @typedef {import("./log.js").Member} Member
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./log.js").Entry} Entry
 */

/** Codes of a refusal after which a room does not exist for the user. */
export const GONE = new Set(["unknown_room", "no_access", "deleted"]);

/**
 * Events (`room.on(event, …)`):
 *
 * - `state` ({name, text?, retryAt?}): the connection changed; see `connection.js`
 * - `welcome` (as on the wire): once for each connection
 * - `message` (Message): a message was stored, the user's own included; each exactly once
 * - `edited`, `deleted`, `reacted` (as on the wire): a message changed, whether the log has it or not
 * - `log` ({kind: "reset" | "add" | "change" | "remove" | "more", entry?}): `room.log.entries` changed
 * - `people` (People): `room.people` changed
 * - `typing` (Member[]): the other members who are typing now
 * - `access` (string[] | undefined): what the user may do here changed; see `may`, `role` and `muted`
 * - `room` (Settings): a moderator has changed the room; see `topic`, `slow`, `writing`, `entry`, `pinned` and `about`
 * - `queue` (Queue): what waits for moderators changed; see `queue`
 * - `held` ({id, state: "approved" | "rejected", reason?}): a moderator has decided on a held message of the user
 * - `read` (number): `room.read` moved; messages after this number are new
 * - `whisper` (as on the wire): a message that nobody else can see
 * - `me` (Member | null): the user's name or id changed; `null` if a name has to be chosen
 * - `renumbered` (string): the server gave the same guest another member id, as after a restart; `me` follows
 * - `joined` (Member): the server knows the user's name on this connection
 * - `ask` (Refusal): the old name is not available any more; choose another
 * - `error` (Refusal): the server refused something that no promise stands for
 */
export class Room extends Emitter {
  log = new Log();
  limits = { name: 32, text: 2000 };
  /** @type {{name: string, title: string} | null} the room as the server describes it; `null` before the first welcome */
  about = null;

  #connection;
  #identity;
  #membership;
  #moderation;
  #outgoing;
  #presence;
  #reading;
  #readAtServer;
  #timeline;

  /**
   * @param {object} options
   * @param {import("./link.js").Link} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {Storage} options.storage
   * @param {string} options.key prefix of all keys in the storage
   * @param {string} [options.name] the nickname to take first
   * @param {Identity | import("./person.js").Person} [options.identity] by default, one for this room alone
   * @param {(id: string) => boolean} [options.blocks] whether the user blocks a member
   * @param {() => number | null | undefined} [options.read] returns where reading stopped, as the server knows it;
   *   `null` if it does not know yet: then call `learnRead` later
   */
  constructor({ connection, clock, storage, key, name, identity = new Identity(storage, `${key}:me`), blocks = () => false, read }) {
    super();
    const { log } = this;
    this.#connection = connection;
    this.#identity = identity;
    this.blocks = blocks;
    this.#readAtServer = read;
    this.#reading = new ReadPosition({ link: connection, clock });
    this.#membership = new Membership({ connection, clock, identity, name });
    this.#moderation = new Moderation(connection);
    this.#presence = new Presence({ connection, clock, log, me: () => this.me });
    this.#timeline = new Timeline({ connection, log, ownId: () => this.#membership.id });
    this.#outgoing = new Outgoing({
      connection,
      clock,
      storage,
      key: `${key}:unsent:`,
      log,
      me: () => this.me,
      joined: () => this.joined,
      by: this.#membership.id,
    });
    this.#forward(this.#presence, "people", "typing", "log");
    this.#forward(this.#timeline, "log", ...REVISIONS);
    this.#forward(this.#outgoing, "log");
    this.#forward(this.#membership, "ask");
    this.#forward(this.#moderation, "room", "access", "queue");
    this.#presence.on("renamed", (member) => this.#membership.setMe(member));
    this.#timeline.on("own", (message) => this.#outgoing.confirm(message));
    this.#timeline.on("message", (message) => this.#onMessage(message));
    this.#outgoing.on("stored", ({ answer, entry }) => this.#onStored(answer, entry));
    this.#outgoing.on("parted", (answered) => this.#onParted(answered));
    this.#membership.on("login", (id) => this.#outgoing.switchTo(id));
    this.#membership.on("renumbered", ({ from, to }) => this.#onRenumbered(from, to));
    this.#membership.on("me", (member) => this.#onMe(member));
    this.#membership.on("joined", (member) => this.#onJoined(member));
    connection.on("event", ({ name: event, data }) => this.#onEvent(event, data ?? {}));
    connection.on("state", (state) => this.#onState(state));
  }

  #forward(part, ...events) {
    for (const event of events) part.on(event, (payload) => this.emit(event, payload));
  }

  /** The connection. @returns {import("./connection.js").State} */
  get state() {
    return this.#connection.state;
  }

  /** Who is in the room. */
  get people() {
    return this.#presence.people;
  }

  /** The user; kept while disconnected. @returns {Member | null} */
  get me() {
    return this.#membership.me;
  }

  /** The application's login of the user, as on the wire; `null` for a guest. */
  get you() {
    return this.#membership.you;
  }

  /** Whether the server knows the user's name on this connection. */
  get joined() {
    return this.#membership.joined;
  }

  /** Whether a name will be taken without asking the user. */
  get arriving() {
    return this.#membership.arriving;
  }

  /** Whether the user may delete messages of others. */
  get moderates() {
    return (this.#moderation.access?.includes("moderate") ?? false) || (this.#membership.moderates && this.may("write"));
  }

  /** Whether the user has a permission: `read`, `write`, `react`, `upload` or `moderate`. @param {string} permission @returns {boolean} */
  may(permission) {
    return permission === "moderate" ? this.moderates : (this.#moderation.access?.includes(permission) ?? true);
  }

  /** The user's role here. @returns {"owner" | "moderator" | "member" | "guest" | "reader"} */
  get role() {
    return this.#moderation.role;
  }

  /** Why and until when the user may not write. @returns {import("./moderation.js").Mute | null} */
  get muted() {
    return this.#moderation.muted;
  }

  /** @returns {string} */
  get topic() {
    return this.#moderation.settings.topic;
  }

  /** Seconds between two messages of one person; 0 is no limit. @returns {number} */
  get slow() {
    return this.#moderation.settings.slow;
  }

  /** Who may write. @returns {"all" | "members" | "moderators"} */
  get writing() {
    return this.#moderation.settings.writing;
  }

  /** Who may come in. @returns {"open" | "ask" | "members" | "closed"} */
  get entry() {
    return this.#moderation.settings.entry;
  }

  /** The pinned messages. @returns {{seq: number, author: string, text: string}[]} */
  get pinned() {
    return this.#moderation.settings.pinned;
  }

  /** How much waits for moderators; `null` for others. @returns {import("./moderation.js").Queue | null} */
  get queue() {
    return this.#moderation.queue;
  }

  /** The number up to which the user has read; `undefined` while it is not known. @returns {number | undefined} */
  get read() {
    return this.#reading.known ? this.#reading.seq : undefined;
  }

  /** The position to recover from. @returns {{epoch: string, seq: number, id?: string} | undefined} */
  get since() {
    return this.#timeline.since;
  }

  /** The stored messages in the log, oldest first. @returns {Message[]} */
  get messages() {
    return this.log.messages;
  }

  /**
   * Takes or changes the nickname. Waits for the first connection.
   * @param {string} name
   * @returns {Promise<Member>}
   * @throws {Refusal} such as `name_taken`
   */
  async join(name) {
    await this.#connection.ready();
    return this.#membership.join(name);
  }

  /**
   * Sends a message, exactly once and in order. The log shows it at once as pending. It waits while disconnected, and
   * a reload keeps it until the server has stored it.
   * @param {string} text
   * @param {object} [options]
   * @param {number} [options.replyTo] `seq` of the message that it answers
   * @returns {Promise<{id: string, seq: number, date: string}>} resolves when the message is stored
   * @throws {Refusal} such as `text_too_long`
   */
  async say(text, { replyTo } = {}) {
    if (!this.me) throw new Refusal("not_joined");
    if (this.state.name === "closed") throw new Refusal("closed");
    const stored = this.#outgoing.add(text, replyTo);
    this.#presence.typingEnded();
    return stored;
  }

  /**
   * Changes the text of one of the user's messages. Like `delete` and `react`, it fails with `offline` while
   * disconnected, and an event tells everyone of the change, the user included.
   * @param {number} seq of the message @param {string} text
   * @throws {Refusal} such as `not_yours`
   */
  async edit(seq, text) {
    await this.#revise("edit", { target: seq, text });
  }

  /** Deletes a message; a mark remains in the log. @param {number} seq @throws {Refusal} such as `not_yours` */
  async delete(seq) {
    await this.#revise("delete", { target: seq });
  }

  /**
   * Adds or removes one of the user's reactions.
   * @param {number} seq of the message @param {string} emoji @param {boolean} [on] `false` removes it
   * @throws {Refusal} such as `emoji_invalid`
   */
  async react(seq, emoji, on = true) {
    await this.#revise("react", { target: seq, emoji, on });
  }

  /**
   * Fetches older messages as they are now. The log does not change.
   * @param {object} [options]
   * @param {number} [options.before] only messages before this `seq`
   * @param {number} [options.limit] at most 200
   * @param {string} [options.matching] only messages that contain all of these words, in any case
   * @returns {Promise<{messages: Message[], more: boolean}>} the newest ones that match, oldest first
   */
  async history(options = {}) {
    await this.#connection.ready();
    return this.#timeline.history(options);
  }

  /**
   * Fetches a page of one of `log.gaps` into the log.
   * @param {import("./gaps.js").Gap} gap
   * @param {"newer" | "older"} [end] the end of the gap to fetch from
   */
  async fill(gap, end = "newer") {
    await this.#connection.ready();
    await this.#timeline.fill(gap, end);
  }

  /**
   * Finds a message. If the log does not have it, fetches it with the messages around it.
   * @param {number} seq
   * @returns {Promise<Entry | undefined>} `undefined` if there is no such message
   */
  async find(seq) {
    if (!this.log.find(seq)) {
      await this.#connection.ready();
      await this.#timeline.fetchAround(seq);
    }
    return this.log.find(seq);
  }

  /**
   * Shows messages that were kept from an earlier visit, until the first welcome.
   * @param {Message[]} messages oldest first
   * @param {string} epoch in which they have their numbers
   * @returns {boolean} whether they are shown
   */
  recall(messages, epoch) {
    if (this.about || this.state.name === "refused") return false;
    this.#timeline.recall(messages, epoch);
    return true;
  }

  /** Sends a refused message again. @param {string} id of the entry @returns {Promise<{id: string, seq: number, date: string}>} */
  async retry(id) {
    return this.#outgoing.retry(id);
  }

  /** Discards a message that is not stored. @param {string} id of the entry */
  discard(id) {
    this.#outgoing.discard(id);
  }

  /** Call it with `true` at each keystroke, and with `false` when the text is empty. @param {boolean} on */
  typing(on) {
    if (this.joined) this.#presence.sendTyping(on);
  }

  /** The user saw the messages up to number `seq`. The position only moves forward, on all their devices. @param {number} seq */
  markRead(seq) {
    if (this.#reading.advance(seq)) this.emit("read", seq);
  }

  /** The server has said where reading stopped. */
  learnRead() {
    if (this.#reading.known) return;
    this.#reading.learn(this.#readAtServer());
    this.emit("read", this.read);
  }

  /** Asks the server for all members. @returns {Promise<{here: number, members: Member[]}>} */
  async who() {
    await this.#connection.ready();
    const { here, members } = await this.#connection.send("who", {});
    return { here, members };
  }

  /**
   * Does what moderators may do: ban, mute, set … Events tell everyone whom it concerns, the user included.
   * @param {import("./moderation.js").Action} action such as `{action: "ban", member: "…", seconds: 3600}`
   * @returns {Promise<object>} the fields of the answer: `deleted` of `clear` and `ban`, `token` of `invite`
   * @throws {Refusal} such as `forbidden`
   */
  async moderate(action) {
    return this.#moderation.ask("moderate", action);
  }

  /** The settings, roles, bans, mutes, pins, invitations and the queue; for moderators. @returns {Promise<object>} as on the wire */
  async moderation() {
    return this.#moderation.ask("moderation", {});
  }

  /**
   * Fetches what moderators did, the newest first; for moderators.
   * @param {number} [before] only entries before this number
   * @returns {Promise<{entries: object[], more: boolean}>} as on the wire
   */
  async audit(before) {
    return this.#moderation.ask("audit", before === undefined ? {} : { before });
  }

  /** Reports a message to the moderators. @param {number} target its `seq` @param {string} [reason] */
  async report(target, reason) {
    await this.#moderation.ask("report", reason ? { target, reason } : { target });
  }

  /** The token of the guest, if there is one. @returns {string | undefined} */
  get token() {
    return this.#identity.current.token;
  }

  /** Connects as the guest of a token, such as a password or an invitation gives. Not for a room of `openChat`. @param {string} token */
  become(token) {
    this.#identity.become(token);
    this.#connection.renew();
  }

  /** Gives the nickname back and forgets it; stays connected. */
  async leave() {
    await this.#connection.ready();
    await this.#membership.leave();
  }

  /** Connects at once: without waiting for the next attempt, or again after a refusal. */
  reconnect() {
    this.#connection.open();
  }

  /** Disconnects for good. The storage keeps unsent messages. */
  close() {
    this.#presence.close();
    this.#reading.close();
    this.#connection.close();
  }

  async #revise(command, data) {
    await this.#connection.ready();
    if (!this.joined) throw new Refusal("not_joined");
    await this.#timeline.revise(command, data);
  }

  // What the connection reports

  #onState(state) {
    if (state.name !== "live") {
      this.#membership.parted();
      this.#presence.disconnected();
    }
    if (state.name === "refused" && this.about) this.#presence.clear();
    // What the user may not read any more is not kept.
    if (state.name === "refused" && GONE.has(state.code)) this.#timeline.forget();
    this.emit("state", state);
    if (state.name === "live") this.#membership.connected();
  }

  #onEvent(event, data) {
    if (event === "welcome") this.#onWelcome(data);
    else if (event === "message") this.#timeline.add(data);
    else if (REVISIONS.includes(event)) this.#timeline.apply(event, data);
    else if (event === "presence") this.#presence.apply(data);
    else if (event === "typing") this.#presence.setTyping(data.member, data.on);
    else if (event === "access") this.#moderation.permit(data);
    else if (event === "room") this.#onRoom(data);
    else if (event === "queue") this.#moderation.count(data);
    else if (event === "held") this.#onHeld(data);
    else if (event === "whisper") this.#onWhisper(data);
    else if (event === "error") this.emit("error", Refusal.from(data));
  }

  #onWelcome(data) {
    this.about = data.room;
    this.#moderation.start(data);
    this.#membership.setLogin(data.you ?? null);
    Object.assign(this.limits, data.limits);
    this.people.reset(data);
    if (this.#timeline.start(data)) this.#outgoing.forgetReplies();
    this.#reading.start(data.epoch, this.#readAtServer?.(), data.seq);
    this.emit("welcome", data);
    this.emit("people", this.people);
  }

  #onRoom(data) {
    if (data.title !== undefined) this.about = { ...this.about, title: data.title };
    this.#moderation.change(data);
  }

  #onHeld(data) {
    if (data.state === "rejected") this.#outgoing.reject(data.id, data.reason);
    this.emit("held", data);
  }

  #onWhisper(whisper) {
    const { id, date, author, text } = whisper;
    if (this.log.entries.some((each) => each.state === "whisper" && each.id === id)) return; // it is sent again after a drop
    const entry = { state: "whisper", own: false, id, date, author, text };
    // The server sends a whisper again when the user comes back.
    if (!this.log.hear(entry)) return;
    this.emit("log", { kind: "add", entry });
    this.emit("whisper", whisper);
  }

  // What the parts report

  #onRenumbered(from, to) {
    this.#outgoing.renumber(from, to);
    this.emit("renumbered", to);
  }

  #onMe(member) {
    if (member) this.#outgoing.switchTo(member.id);
    if (this.log.setOwner(this.#membership.id, member)) this.emit("log", { kind: "reset" });
    this.emit("me", member);
  }

  #onJoined(member) {
    const roles = this.you?.roles;
    this.#presence.addMe(roles?.length ? { ...member, roles } : member);
    this.emit("joined", member);
    this.#outgoing.flush();
  }

  #onParted(answered) {
    this.#membership.parted();
    if (answered) this.#membership.rejoin();
  }

  #onMessage(message) {
    this.#presence.setTyping(message.author, false);
    this.emit("message", message);
  }

  #onStored(answer, entry) {
    this.#timeline.wrote(answer);
    if (!entry) return;
    this.emit("log", { kind: "change", entry });
    this.emit("message", toMessage(entry));
  }
}
