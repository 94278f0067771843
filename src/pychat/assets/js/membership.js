/** Who the user is in the room: the nickname, the login, and joining again after a reload or a lost connection. */

import { Emitter } from "./emitter.js";
import { isTemporary, pause } from "./retry.js";

/**
 * @typedef {import("./log.js").Member} Member
 * @typedef {{id: string, name?: string, roles?: string[], name_fixed?: boolean}} Login as on the wire
 */

/**
 * Emits `login` (string | undefined, the id of the login or of the guest) with each welcome, `renumbered` ({from, to}) when
 * the server gave the same guest another id, `me` (Member | null), `joined` (Member)
 * and `ask` (Refusal); the last three are documented at Room.
 */
export class Membership extends Emitter {
  /** @type {Member | null} the user; kept while disconnected */
  me = null;
  /** @type {Login | null} the application's login of the user */
  you = null;
  /** Whether the server knows the user's name on this connection. */
  joined = false;
  #connection;
  #clock;
  #identity;
  /** The nickname to take without asking the user. @type {string | undefined} */
  #initialName;
  /** The id of the guest who wrote here last. @type {string | undefined} */
  #guest;

  /**
   * @param {object} options
   * @param {import("./connection.js").Connection} options.connection
   * @param {{setTimeout(f: () => void, ms: number): any}} options.clock
   * @param {import("./identity.js").Identity | import("./person.js").Person} options.identity keeps the name
   * @param {string} [options.name] the nickname to take first
   */
  constructor({ connection, clock, identity, name: initialName }) {
    super();
    this.#connection = connection;
    this.#clock = clock;
    this.#identity = identity;
    this.#initialName = initialName;
    const { id, name } = this.#identity.current;
    if (id && name) this.me = { id, name };
    this.#guest = this.me?.id;
  }

  /** The user's member id. @returns {string | undefined} */
  get id() {
    return this.#identity.current.id;
  }

  /** Whether a name will be taken without asking the user. */
  get arriving() {
    return !this.me && !!(this.you?.name ?? this.#initialName);
  }

  /** Whether the user may delete messages of others. */
  get moderates() {
    return !!this.you?.roles?.includes("moderator");
  }

  /** Applies the login that a welcome names. @param {Login | null} you `null` for a guest */
  setLogin(you) {
    const loggedOut = this.you && !you;
    this.you = you;
    this.#identity.setLogin(you);
    // A connection for many rooms says with its welcome who the guest is now.
    if (!you && this.me && this.id) this.#isGuest(this.id);
    this.emit("login", this.id);
    if (you?.name_fixed) this.#initialName = undefined;
    if (loggedOut || (you && !you.name && this.me?.id !== you.id)) this.setMe(null);
  }

  /** The connection is live: the user joins again, if there is a name to join with. */
  connected() {
    // A login with a name has joined already.
    if (this.you?.name) this.#arrived({ id: this.you.id, name: this.you.name });
    if (!this.joined || this.#initialName) this.rejoin();
  }

  /** The server does not know the user any more. */
  parted() {
    this.joined = false;
  }

  /** Takes a nickname. @param {string} name @returns {Promise<Member>} @throws {Refusal} */
  async join(name) {
    const { token } = this.#identity.current;
    const answer = await this.#connection.send("join", token ? { name, token } : { name });
    if (this.you) this.#identity.setLogin(answer.member);
    else {
      this.#identity.save({ ...answer.member, token: answer.token ?? token });
      this.#isGuest(answer.member.id);
    }
    this.#initialName = undefined;
    return this.#arrived(answer.member);
  }

  /** Gives the nickname back and forgets it. */
  async leave() {
    await this.#connection.send("leave", {});
    this.#identity.forget();
    this.#guest = undefined;
    this.joined = false;
    this.setMe(null);
  }

  /** Joins as the same member again, without asking the user; emits `ask` if the name is not available any more. */
  async rejoin() {
    for (;;) {
      const { name: savedName, token } = this.#identity.current;
      const name = this.#initialName ?? (this.me && savedName);
      if (!name) return;
      try {
        await this.join(name);
        return;
      } catch (refusal) {
        if (!refusal.answered || this.#connection.state.name !== "live") return;
        if (isTemporary(refusal)) await pause(this.#clock, refusal);
        // Another tab may have joined first and got a new token, which both tabs share.
        else if (this.#identity.current.token === token) {
          this.#initialName = undefined;
          this.setMe(null);
          this.emit("ask", refusal);
          return;
        }
      }
      if (this.joined || this.#connection.state.name !== "live") return;
    }
  }

  /** @param {Member | null} member `null` if a name has to be chosen */
  setMe(member) {
    if (member?.id === this.me?.id && member?.name === this.me?.name) return;
    this.me = member;
    this.emit("me", member);
  }

  /** The server may know its guests no longer, after a restart: it gives the same person another id. */
  #isGuest(id) {
    const from = this.#guest;
    this.#guest = id;
    if (from !== undefined && from !== id) this.emit("renumbered", { from, to: id });
  }

  #arrived(member) {
    // The connection may have been lost right after the answer; the next one joins again.
    this.joined = this.#connection.state.name === "live";
    this.setMe(member);
    if (this.joined) this.emit("joined", member);
    return member;
  }
}
