/** The way into a room that is not open to everyone: by a password, an invitation, the owner's link, a check, or by asking. */

import { Refusal } from "./refusal.js";

export class Entrance {
  #address;
  #token;
  #become;

  /**
   * @param {object} options
   * @param {URL} options.base of the mount
   * @param {string} options.room its name
   * @param {() => string | undefined} options.token returns the token of the guest, or of the login
   * @param {(token: string) => void} options.become the user has another token, with which the room lets them in
   */
  constructor({ base, room, token, become }) {
    this.#address = (path) => new URL(`api/rooms/${encodeURIComponent(room)}/${path}`, base);
    this.#token = token;
    this.#become = become;
  }

  /**
   * Shows the server why the user may enter.
   * @param {{password: string} | {invite: string} | {owner: string} | {solution: object} | {ask: {name: string, text: string}}} reason
   * @returns {Promise<{token: string, role?: string, waiting?: boolean}>} `waiting` for a moderator
   * @throws {Refusal}
   */
  async enter(reason) {
    const answer = await this.#fetch("entry", reason);
    if (answer.token) this.#become(answer.token);
    return answer;
  }

  /** What the room asks for. @returns {Promise<{ways: string[]}>} some of `password`, `ask` and `invite` @throws {Refusal} */
  async ways() {
    return this.#fetch("entry");
  }

  /** A challenge for `solve`. @returns {Promise<object>} @throws {Refusal} */
  async challenge() {
    return (await this.#fetch("challenge")).challenge;
  }

  async #fetch(path, body) {
    const token = this.#token();
    let response;
    let answer;
    try {
      response = await fetch(this.#address(path), {
        method: body ? "POST" : "GET",
        headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
      });
      answer = await response.json();
    } catch {
      throw new Refusal("offline", "The server cannot be reached. Try again.");
    }
    if (!response.ok || answer.ok === false) throw Refusal.from(answer.error);
    return answer;
  }
}
