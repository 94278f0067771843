/** What stands unsent in the message box of a room: kept for each person alone, until the tab is closed. */

import { browserStorage } from "../storage.js";

export class Drafts {
  #storage = browserStorage("sessionStorage");
  #key;
  /** The member id of the person who writes. @type {string | undefined} */
  writer;

  /** @param {string} key of the room; it has no space, so keys of different rooms and people never collide */
  constructor(key) {
    this.#key = `pychat:draft:${key}`;
  }

  get text() {
    return this.#storage.getItem(this.#name) ?? "";
  }

  set text(text) {
    if (text) this.#storage.setItem(this.#name, text);
    else this.#storage.removeItem(this.#name);
  }

  get #name() {
    return this.writer === undefined ? this.#key : `${this.#key} ${this.writer}`;
  }
}
