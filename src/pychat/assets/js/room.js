/**
 * One room as one visitor knows it: its log, who is here, who I am, and what I still have to send. Speaks the
 * wire's words over a connection; touches no page, and no network itself.
 */

import { Emitter } from "./emitter.js";
import { History } from "./history.js";
import { Identity, newId } from "./identity.js";
import { Log } from "./log.js";
import { Notice } from "./notice.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { Position } from "./position.js";
import { Refusal } from "./refusal.js";
import { REVISIONS } from "./revision.js";
import { SendQueue, waitingHelps } from "./send-queue.js";
import { Typists } from "./typists.js";

/**
 * @typedef {import("./log.js").Member} Member
 * @typedef {import("./log.js").Message} Message
 * @typedef {import("./log.js").Entry} Entry
 */

/** Milliseconds: said again this often while typing goes on. */
const TYPING_EVERY = 3000;
/** Characters of a message that is answered, as the server quotes it. */
const QUOTED = 200;

/**
 * What a room tells (`room.on(event, …)`):
 *
 * - `state` ({name, text?, retryAt?}): the connection; see `connection.js`
 * - `welcome` (as on the wire): once for each connection
 * - `message` (Message): a message of the room, ours too, once it is stored; each exactly once
 * - `edited`, `deleted`, `reacted` (as on the wire): what became of a message, whether it is known here or not
 * - `log` ({kind: "reset" | "add" | "change" | "remove" | "more", entry?}): `room.log.entries` changed
 * - `people` (People): `room.people` changed
 * - `typing` (Member[]): who is writing now, without us
 * - `me` (Member | null): who we are changed; `null` where a name has to be chosen
 * - `joined` (Member): the server knows, on this connection, who we are
 * - `ask` (Refusal): the name that we had cannot be had again; choose another
 * - `error` (Refusal): something that nobody waits for was refused
 */
export class Room extends Emitter {
  log = new Log();
  people = new People();
  limits = { name: 32, text: 2000 };
  /** @type {{name: string, title: string} | null} as the server calls it */
  about = null;
  /** @type {Member | null} who we are; kept while the connection is away */
  me = null;
  /** Who the application knows us to be by a login of its own, as on the wire: with `roles`, and `name_fixed` or not. */
  you = null;
  /** Whether the server knows, on this connection, who we are. */
  joined = false;

  #connection;
  #clock;
  #history;
  #identity;
  #wanted;
  #outbox;
  #queue;
  #position = new Position();
  #typists = new Typists();
  #typingTimer;
  #saidTyping = -Infinity;
  #welcomed = false;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{now(): number, setTimeout(f: () => void, ms: number): any, clearTimeout(timer: any): void}} options.clock
   * @param {Storage} options.storage
   * @param {string} options.key what is kept in the storage begins with this
   * @param {string} [options.name] to be taken at first
   */
  constructor({ connection, clock, storage, key, name: wanted }) {
    super();
    this.#connection = connection;
    this.#clock = clock;
    this.#wanted = wanted;
    this.#history = new History({ connection, log: this.log, epoch: () => this.since?.epoch, file: (message) => this.#file(message) });
    this.#identity = new Identity(storage, `${key}:me`);
    this.#outbox = new Outbox(storage, `${key}:unsent:`);
    this.#queue = new SendQueue({
      connection,
      clock,
      outbox: this.#outbox,
      log: this.log,
      room: {
        joined: () => this.joined,
        parted: (told) => this.#part(told),
        stored: (answer, entry) => this.#sent(answer, entry),
        changed: (entry) => this.#tell("change", entry),
      },
    });
    const { id, name } = this.#identity.current;
    if (id && name) this.me = { id, name };
    for (const item of this.#outbox.items) this.#pend(item);
    connection.on("event", ({ name: event, data }) => this.#hear(event, data ?? {}));
    connection.on("state", (state) => this.#turn(state));
  }

  /** The connection. @returns {import("./connection.js").State} */
  get state() {
    return this.#connection.state;
  }

  /** Whether a name is about to be taken, without anybody being asked. */
  get arriving() {
    return !this.me && !!(this.you?.name ?? this.#wanted);
  }

  /** Whether we may take back what others say. */
  get moderates() {
    return !!this.you?.roles?.includes("moderator");
  }

  /** Where to go on from. @returns {{epoch: string, seq: number, id?: string} | undefined} */
  get since() {
    return this.#position.since;
  }

  /** The room's messages that are known here, oldest first. @returns {Message[]} */
  get messages() {
    return this.log.entries
      .filter((entry) => entry.state === "sent")
      .map(told);
  }

  /**
   * Takes a nickname, or changes it. Before the first connection is up it waits for it.
   * @param {string} name
   * @returns {Promise<Member>}
   * @throws {Refusal} such as `name_taken`
   */
  async join(name) {
    await this.#ready();
    return this.#take(name);
  }

  /**
   * Says something. It is in the log at once, as pending, and kept over reloads until the server has stored it;
   * while the connection is away it waits. Sent exactly once, in order.
   * @param {string} text
   * @param {object} [options]
   * @param {number} [options.replyTo] the `seq` of the message that it answers
   * @returns {Promise<{id: string, seq: number, date: string}>} when it is stored
   * @throws {Refusal} such as `text_too_long`
   */
  async say(text, { replyTo } = {}) {
    if (!this.me) throw new Refusal("not_joined");
    if (this.state.name === "closed") throw new Refusal("closed");
    const item = this.#outbox.add(newId(), text, this.#clock.now(), this.#quote(replyTo));
    this.#saidTyping = -Infinity;
    this.#tell("add", this.#pend(item));
    return this.#queue.stored(item.id);
  }

  /**
   * Changes the text of a message of ours. Like `delete` and `react`: not kept for later where there is no connection,
   * and told to everyone, us too, by an event.
   * @param {number} seq of the message @param {string} text
   * @throws {Refusal} such as `not_yours`
   */
  async edit(seq, text) {
    await this.#change("edit", { target: seq, text });
  }

  /** Takes a message of ours back; a mark remains. @param {number} seq @throws {Refusal} such as `not_yours` */
  async delete(seq) {
    await this.#change("delete", { target: seq });
  }

  /**
   * Puts an emoji to a message, or takes ours away.
   * @param {number} seq of the message @param {string} emoji @param {boolean} [on]
   * @throws {Refusal} such as `emoji_invalid`
   */
  async react(seq, emoji, on = true) {
    await this.#change("react", { target: seq, emoji, on });
  }

  /**
   * Older messages, as they stand. What the log holds is not changed by it.
   * @param {object} [options]
   * @param {number} [options.before] only messages before this `seq`
   * @param {number} [options.limit] 200 at most
   * @param {string} [options.matching] only those that hold all of these words, however cased
   * @returns {Promise<{messages: Message[], more: boolean}>} the last ones of them, oldest first
   */
  async history(options = {}) {
    await this.#ready();
    return this.#history.ask(options);
  }

  /**
   * Fills one of `log.gaps` by a page, from its newer end or from its older.
   * @param {import("./gaps.js").Gap} gap
   * @param {"newer" | "older"} [end] the newer one, as when reading upwards
   */
  async fill(gap, end = "newer") {
    await this.#ready();
    await this.#history.fill(gap, end);
    this.#tell("more");
  }

  /**
   * The message of that number, fetched with those around it if it is not in the log.
   * @param {number} seq
   * @returns {Promise<Entry | undefined>} nothing where there is no such message
   */
  async find(seq) {
    if (!this.log.find(seq)) {
      await this.#ready();
      await this.#history.around(seq);
      this.#tell("more");
    }
    return this.log.find(seq);
  }

  /** Sends a message that had failed once more. @param {string} id of the entry @returns {Promise<{id: string, seq: number, date: string}>} */
  async retry(id) {
    const item = this.#outbox.retry(id, this.#clock.now());
    if (!item) throw new Refusal("discarded");
    this.#tell("remove", this.log.drop(id));
    this.#tell("add", this.#pend(item));
    return this.#queue.stored(id);
  }

  /** Throws a message away that has not been stored. @param {string} id of the entry */
  discard(id) {
    this.#outbox.remove(id);
    this.#tell("remove", this.log.drop(id));
    this.#queue.settle(id, new Refusal("discarded"));
  }

  /** Call it at each keystroke with `true`, with `false` when the text is gone; the wire hears of it when it must. @param {boolean} on */
  typing(on) {
    const now = this.#clock.now();
    if (!this.joined || (on ? now - this.#saidTyping < TYPING_EVERY : this.#saidTyping === -Infinity)) return;
    this.#saidTyping = on ? now : -Infinity;
    // Nobody misses it when it is refused.
    this.#connection.send("typing", { on }).catch(() => {});
  }

  /** Everyone with a name, from the server. @returns {Promise<{here: number, members: Member[]}>} */
  async who() {
    await this.#ready();
    const { here, members } = await this.#connection.send("who", {});
    return { here, members };
  }

  /** Gives the nickname back, and forgets who we were; stays connected. */
  async leave() {
    await this.#ready();
    await this.#connection.send("leave", {});
    this.#identity.forget();
    this.joined = false;
    this.#become(null);
  }

  /** Connects without waiting for the next attempt, or again after a refusal. */
  reconnect() {
    this.#connection.open();
  }

  /** Disconnects for good. What is unsent stays in the storage. */
  close() {
    this.#clock.clearTimeout(this.#typingTimer);
    this.#connection.close();
  }

  // The connection

  #turn(state) {
    if (state.name !== "live") {
      this.joined = false;
      this.#saidTyping = -Infinity;
      if (this.#typists.at(this.#clock.now()).length) {
        this.#typists.clear();
        this.emit("typing", []);
      }
    }
    if (state.name === "refused" && this.about) {
      // We are not here, and are not told any more who is.
      this.people.reset({ here: 0 });
      this.emit("people", this.people);
    }
    this.emit("state", state);
    if (state.name !== "live") return;
    // Whose login has a name is in the room already.
    if (this.you?.name) this.#arrive({ id: this.you.id, name: this.you.name });
    if (!this.joined || this.#wanted) this.#comeBack();
  }

  /** Resolves while live; waits for the first connection, but never for a lost one. */
  #ready() {
    return new Promise((resolve, reject) => {
      const settle = ({ name, text }) => {
        if (name === "live") resolve();
        else if (name === "refused") reject(new Refusal("offline", text));
        else if (name === "connecting" && !this.#welcomed) return false;
        else reject(new Refusal(name === "closed" ? "closed" : "offline"));
        return true;
      };
      if (settle(this.state)) return;
      const stop = this.on("state", (state) => settle(state) && stop());
    });
  }

  #hear(event, data) {
    if (event === "welcome") this.#welcome(data);
    else if (event === "message") this.#read(data);
    else if (REVISIONS.includes(event)) this.#revise(event, data);
    else if (event === "presence") this.#presence(data);
    else if (event === "typing") this.#hearTyping(data.member, data.on);
    else if (event === "error") this.emit("error", Refusal.from(data));
  }

  #welcome(data) {
    this.#welcomed = true;
    this.about = data.room;
    this.#recognise(data.you ?? null);
    Object.assign(this.limits, data.limits);
    this.people.reset(data);
    const renumbered = this.since && this.since.epoch !== data.epoch;
    // Recovered, it is our own place, and what was missed follows as events.
    this.#position.start(data.epoch, data.seq, data.id);
    if (!data.recovered) {
      this.log.clear(data.more ? (data.messages[0]?.seq ?? data.seq + 1) : undefined);
      for (const message of data.messages) this.#file(message);
      this.#tell("reset");
    }
    if (renumbered && this.#outbox.forgetReplies()) this.#setAside();
    this.emit("welcome", data);
    this.emit("people", this.people);
  }

  // Messages of the room

  #read(message) {
    this.#position.read(message.seq, message.id);
    const { entry, how } = this.#file(message);
    if (how === "known") return;
    this.#hearTyping(message.author, false);
    this.#tell(how === "added" ? "add" : "change", entry);
    this.emit("message", message);
  }

  #revise(kind, event) {
    this.#position.read(event.seq, event.id);
    this.#tell("change", this.#history.revise(kind, event));
    this.emit(kind, event);
  }

  async #change(command, data) {
    await this.#ready();
    if (!this.joined) throw new Refusal("not_joined");
    const { seq, id } = await this.#connection.send(command, data);
    if (seq !== undefined) this.#position.wrote(seq, id);
  }

  #quote(seq) {
    if (seq === undefined) return undefined;
    const { author, text } = this.log.find(seq) ?? {};
    const letters = [...(text ?? "")];
    return { seq, author: author?.name, text: letters.length > QUOTED ? `${letters.slice(0, QUOTED - 1).join("")}…` : text };
  }

  #file(message) {
    const own = message.author.id === this.#identity.current.id;
    const filed = this.log.take(message, own);
    // Stored after all, though the answer never came.
    if (own && this.#outbox.has(message.id)) {
      this.#outbox.remove(message.id);
      this.#queue.settle(message.id, message);
    }
    return filed;
  }

  // Who is here

  #presence(data) {
    const news = this.people.apply(data);
    const other = (member) => member.id !== this.me?.id;
    for (const { to } of news.renamed) if (!other(to)) this.#become(to);
    for (const member of news.left) this.#hearTyping(member, false);
    this.emit("people", this.people);
    this.#notice({
      joined: news.joined.filter(other),
      left: news.left.filter(other),
      renamed: news.renamed.filter(({ to }) => other(to)),
    });
  }

  #notice(news) {
    if (!news.joined.length && !news.left.length && !news.renamed.length) return;
    let entry = this.log.last;
    const going = entry?.state === "notice";
    if (!going) entry = { state: "notice", own: false, notice: new Notice() };
    entry.notice.add(news);
    entry.date = new Date(this.#clock.now()).toISOString();
    if (!going) this.log.note(entry);
    this.#tell(going ? "change" : "add", entry);
  }

  #hearTyping(member, on) {
    const now = this.#clock.now();
    if (member.id === this.me?.id) return;
    const before = this.#typists.at(now).length;
    this.#typists.set(member, on, now);
    const writing = this.#typists.at(now);
    if (writing.length !== before) this.emit("typing", writing);
    this.#clock.clearTimeout(this.#typingTimer);
    if (this.#typists.expiry === undefined) return;
    this.#typingTimer = this.#clock.setTimeout(() => {
      this.emit("typing", this.#typists.at(this.#clock.now()));
    }, this.#typists.expiry - now);
  }

  // Who we are

  /** Who the server says that we are; nobody, for a guest. */
  #recognise(you) {
    const left = this.you && !you;
    this.you = you;
    this.#identity.know(you);
    if (this.#outbox.turnTo(you?.id)) this.#setAside();
    if (you?.name_fixed) this.#wanted = undefined;
    if (left || (you && !you.name && this.me?.id !== you.id)) this.#become(null);
  }

  async #take(name) {
    const { token } = this.#identity.current;
    const answer = await this.#connection.send("join", token ? { name, token } : { name });
    if (this.you) this.#identity.know(answer.member);
    else this.#identity.keep({ ...answer.member, token: answer.token ?? token });
    this.#wanted = undefined;
    return this.#arrive(answer.member);
  }

  /** The server knows who we are. */
  #arrive(member) {
    this.joined = true;
    this.#become(member);
    const roles = this.you?.roles;
    this.people.put(roles?.length ? { ...member, roles } : member);
    // The room may hear of us before we are told who we are.
    const { last } = this.log;
    if (last?.notice) {
      last.notice.forget(member.id);
      this.#tell("change", last);
    }
    this.emit("people", this.people);
    this.emit("joined", member);
    this.#queue.flush();
    return member;
  }

  /** After a reload or a drop: the same person again, without asking. */
  async #comeBack() {
    for (;;) {
      const { name: kept, token } = this.#identity.current;
      const name = this.#wanted ?? (this.me && kept);
      if (!name) return;
      try {
        await this.#take(name);
        return;
      } catch (refusal) {
        if (!refusal.answered || this.state.name !== "live") return;
        if (waitingHelps(refusal)) await this.#queue.pause(refusal.retryAfter);
        // Another tab may have come back first, and been given a new token for both.
        else if (this.#identity.current.token === token) {
          this.#wanted = undefined;
          this.#become(null);
          this.emit("ask", refusal);
          return;
        }
      }
      if (this.joined || this.state.name !== "live") return;
    }
  }

  #become(member) {
    if (member?.id === this.me?.id && member?.name === this.me?.name) return;
    this.me = member;
    let reset = false;
    for (const entry of this.log.entries) {
      if (!entry.author) continue;
      if (entry.state !== "sent" && member) entry.author = member;
      const own = entry.state !== "sent" || entry.author.id === this.#identity.current.id;
      if (own !== entry.own) reset = true;
      entry.own = own;
    }
    if (reset) this.#tell("reset");
    this.emit("me", member);
  }

  // What we send

  #pend({ id, text, at, reply, error }) {
    return this.log.pend({ id, text, reply, error, date: new Date(at).toISOString(), author: this.me ?? { id: "", name: "" } });
  }

  /** Nobody's words are sent, or seen, under somebody else's name: those of who we are now, in place of the other's. */
  #setAside() {
    this.log.dropUnsent();
    for (const item of this.#outbox.items) this.#pend(item);
    this.#tell("reset");
  }

  #sent(answer, entry) {
    this.#position.wrote(answer.seq, answer.id);
    if (!entry) return;
    this.#tell("change", entry);
    this.emit("message", told(entry));
  }

  #part(told) {
    this.joined = false;
    if (told) this.#comeBack();
  }

  #tell(kind, entry) {
    if (entry || kind === "reset" || kind === "more") this.emit("log", { kind, entry });
  }
}

/** An entry of the log as the message that it is. */
function told({ id, seq, date, author, text, reply, edited, deleted, reactions }) {
  const message = { id, seq, date, author, text, reply, edited, deleted, reactions };
  for (const [name, value] of Object.entries(message)) if (value === undefined) delete message[name];
  return message;
}
