/**
 * One room for one user: the log, the user's own messages, and the events of the wire. Presence knows who else is in
 * the room, membership who the user is. Touches neither the page nor the network.
 */

import { Emitter } from "./emitter.js";
import { History } from "./history.js";
import { newId } from "./identity.js";
import { Log } from "./log.js";
import { Membership } from "./membership.js";
import { Outbox } from "./outbox.js";
import { Position } from "./position.js";
import { Presence } from "./presence.js";
import { Refusal } from "./refusal.js";
import { REVISIONS } from "./revision.js";
import { SendQueue } from "./send-queue.js";

/**
 * @typedef {import("./log.js").Member} Member
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./log.js").Entry} Entry
 */

/** Characters of the original message in a reply, as many as the server quotes. */
const QUOTE_LENGTH = 200;

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
 * - `me` (Member | null): the user's name or id changed; `null` if a name has to be chosen
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
  #clock;
  #history;
  #membership;
  #outbox;
  #position = new Position();
  #presence;
  #queue;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {Storage} options.storage
   * @param {string} options.key prefix of all keys in the storage
   * @param {string} [options.name] the nickname to take first
   */
  constructor({ connection, clock, storage, key, name }) {
    super();
    const { log } = this;
    this.#connection = connection;
    this.#clock = clock;
    this.#history = new History({ connection, log, epoch: () => this.since?.epoch, record: (message) => this.#record(message) });
    this.#membership = new Membership({ connection, clock, storage, key: `${key}:me`, name });
    this.#presence = new Presence({ connection, clock, log, me: () => this.me });
    this.#outbox = new Outbox(storage, `${key}:unsent:`);
    this.#queue = new SendQueue({
      connection,
      clock,
      outbox: this.#outbox,
      log,
      room: {
        joined: () => this.joined,
        parted: (answered) => this.#onParted(answered),
        stored: (answer, entry) => this.#onStored(answer, entry),
        changed: (entry) => this.#emitLog("change", entry),
      },
    });
    for (const item of this.#outbox.items) this.#showUnsent(item);
    for (const event of ["people", "typing", "log"]) this.#presence.on(event, (payload) => this.emit(event, payload));
    this.#presence.on("renamed", (member) => this.#membership.setMe(member));
    this.#membership.on("login", (id) => this.#outbox.switchTo(id) && this.#showOutbox());
    this.#membership.on("me", (member) => this.#onMe(member));
    this.#membership.on("joined", (member) => this.#onJoined(member));
    this.#membership.on("ask", (refusal) => this.emit("ask", refusal));
    connection.on("event", ({ name: event, data }) => this.#onEvent(event, data ?? {}));
    connection.on("state", (state) => this.#onState(state));
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
    return this.#membership.moderates;
  }

  /** The position to recover from. @returns {{epoch: string, seq: number, id?: string} | undefined} */
  get since() {
    return this.#position.since;
  }

  /** The stored messages in the log, oldest first. @returns {Message[]} */
  get messages() {
    return this.log.entries
      .filter((entry) => entry.state === "sent")
      .map(toMessage);
  }

  /**
   * Takes or changes the nickname. Waits for the first connection.
   * @param {string} name
   * @returns {Promise<Member>}
   * @throws {Refusal} such as `name_taken`
   */
  async join(name) {
    await this.#ready();
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
    const item = this.#outbox.add(newId(), text, this.#clock.now(), this.#quote(replyTo));
    this.#presence.typingEnded();
    this.#emitLog("add", this.#showUnsent(item));
    return this.#queue.stored(item.id);
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
    await this.#ready();
    return this.#history.fetch(options);
  }

  /**
   * Fetches a page of one of `log.gaps` into the log.
   * @param {import("./gaps.js").Gap} gap
   * @param {"newer" | "older"} [end] the end of the gap to fetch from
   */
  async fill(gap, end = "newer") {
    await this.#ready();
    await this.#history.fill(gap, end);
    this.#emitLog("more");
  }

  /**
   * Finds a message. If the log does not have it, fetches it with the messages around it.
   * @param {number} seq
   * @returns {Promise<Entry | undefined>} `undefined` if there is no such message
   */
  async find(seq) {
    if (!this.log.find(seq)) {
      await this.#ready();
      await this.#history.around(seq);
      this.#emitLog("more");
    }
    return this.log.find(seq);
  }

  /** Sends a refused message again. @param {string} id of the entry @returns {Promise<{id: string, seq: number, date: string}>} */
  async retry(id) {
    const item = this.#outbox.retry(id, this.#clock.now());
    if (!item) throw new Refusal("discarded");
    this.#emitLog("remove", this.log.drop(id));
    this.#emitLog("add", this.#showUnsent(item));
    return this.#queue.stored(id);
  }

  /** Discards a message that is not stored. @param {string} id of the entry */
  discard(id) {
    this.#outbox.remove(id);
    this.#emitLog("remove", this.log.drop(id));
    this.#queue.settle(id, new Refusal("discarded"));
  }

  /** Call it with `true` at each keystroke, and with `false` when the text is empty. @param {boolean} on */
  typing(on) {
    if (this.joined) this.#presence.sendTyping(on);
  }

  /** Asks the server for all members. @returns {Promise<{here: number, members: Member[]}>} */
  async who() {
    await this.#ready();
    const { here, members } = await this.#connection.send("who", {});
    return { here, members };
  }

  /** Gives the nickname back and forgets it; stays connected. */
  async leave() {
    await this.#ready();
    await this.#membership.leave();
  }

  /** Connects at once: without waiting for the next attempt, or again after a refusal. */
  reconnect() {
    this.#connection.open();
  }

  /** Disconnects for good. The storage keeps unsent messages. */
  close() {
    this.#presence.close();
    this.#connection.close();
  }

  // The connection

  #onState(state) {
    if (state.name !== "live") {
      this.#membership.parted();
      this.#presence.disconnected();
    }
    if (state.name === "refused" && this.about) this.#presence.clear();
    this.emit("state", state);
    if (state.name === "live") this.#membership.connected();
  }

  /** Resolves while the connection is live. Waits for the first connection, but never for a lost one. */
  #ready() {
    return new Promise((resolve, reject) => {
      const settle = ({ name, text }) => {
        if (name === "live") resolve();
        else if (name === "refused") reject(new Refusal("offline", text));
        else if (name === "connecting" && !this.about) return false;
        else reject(new Refusal(name === "closed" ? "closed" : "offline"));
        return true;
      };
      if (settle(this.state)) return;
      const stop = this.on("state", (state) => settle(state) && stop());
    });
  }

  #onEvent(event, data) {
    if (event === "welcome") this.#onWelcome(data);
    else if (event === "message") this.#onMessage(data);
    else if (REVISIONS.includes(event)) this.#onRevision(event, data);
    else if (event === "presence") this.#presence.apply(data);
    else if (event === "typing") this.#presence.setTyping(data.member, data.on);
    else if (event === "error") this.emit("error", Refusal.from(data));
  }

  #onWelcome(data) {
    this.about = data.room;
    this.#membership.setLogin(data.you ?? null);
    Object.assign(this.limits, data.limits);
    this.people.reset(data);
    const newEpoch = this.since && this.since.epoch !== data.epoch;
    // If `recovered`, this is the position that the client asked from, and the missed events follow.
    this.#position.start(data.epoch, data.seq, data.id);
    if (!data.recovered) {
      this.log.clear(data.more ? (data.messages[0]?.seq ?? data.seq + 1) : undefined);
      for (const message of data.messages) this.#record(message);
      this.#emitLog("reset");
    }
    if (newEpoch && this.#outbox.forgetReplies()) this.#showOutbox();
    this.emit("welcome", data);
    this.emit("people", this.people);
  }

  // The user

  #onMe(member) {
    let reset = false;
    for (const entry of this.log.entries) {
      if (!entry.author) continue;
      if (entry.state !== "sent" && member) entry.author = member;
      const own = entry.state !== "sent" || entry.author.id === this.#membership.id;
      if (own !== entry.own) reset = true;
      entry.own = own;
    }
    if (reset) this.#emitLog("reset");
    this.emit("me", member);
  }

  #onJoined(member) {
    const roles = this.you?.roles;
    this.#presence.addMe(roles?.length ? { ...member, roles } : member);
    this.emit("joined", member);
    this.#queue.flush();
  }

  #onParted(answered) {
    this.#membership.parted();
    if (answered) this.#membership.rejoin();
  }

  // Messages

  #onMessage(message) {
    this.#position.read(message.seq, message.id);
    const { entry, how } = this.#record(message);
    if (how === "known") return;
    this.#presence.setTyping(message.author, false);
    this.#emitLog(how === "added" ? "add" : "change", entry);
    this.emit("message", message);
  }

  #onRevision(kind, event) {
    this.#position.read(event.seq, event.id);
    this.#emitLog("change", this.#history.revise(kind, event));
    this.emit(kind, event);
  }

  async #revise(command, data) {
    await this.#ready();
    if (!this.joined) throw new Refusal("not_joined");
    const { seq, id } = await this.#connection.send(command, data);
    if (seq !== undefined) this.#position.wrote(seq, id);
  }

  /** Puts a stored message into the log. */
  #record(message) {
    const own = message.author.id === this.#membership.id;
    const recorded = this.log.take(message, own);
    // The server stored it, but its answer was lost.
    if (own && this.#outbox.has(message.id)) {
      this.#outbox.remove(message.id);
      this.#queue.settle(message.id, message);
    }
    return recorded;
  }

  // The user's messages

  #quote(seq) {
    if (seq === undefined) return undefined;
    const { author, text } = this.log.find(seq) ?? {};
    const characters = [...(text ?? "")];
    return { seq, author: author?.name, text: characters.length > QUOTE_LENGTH ? `${characters.slice(0, QUOTE_LENGTH - 1).join("")}…` : text };
  }

  #showUnsent({ id, text, at, reply, error }) {
    return this.log.pend({ id, text, reply, error, date: new Date(at).toISOString(), author: this.me ?? { id: "", name: "" } });
  }

  /** Shows the unsent messages of the present login only: nobody sees or sends those of another user. */
  #showOutbox() {
    this.log.dropUnsent();
    for (const item of this.#outbox.items) this.#showUnsent(item);
    this.#emitLog("reset");
  }

  #onStored(answer, entry) {
    this.#position.wrote(answer.seq, answer.id);
    if (!entry) return;
    this.#emitLog("change", entry);
    this.emit("message", toMessage(entry));
  }

  #emitLog(kind, entry) {
    if (entry || kind === "reset" || kind === "more") this.emit("log", { kind, entry });
  }
}

/** The message that an entry of the log holds. */
function toMessage({ id, seq, date, author, text, reply, edited, deleted, reactions }) {
  const message = { id, seq, date, author, text, reply, edited, deleted, reactions };
  for (const [name, value] of Object.entries(message)) if (value === undefined) delete message[name];
  return message;
}
