/** The rooms that were opened on the page. One is shown; the others keep their place, their words and their messages. */

import { Pane } from "./pane.js";

/** Rooms that the page stays in. */
const MAX_PANES = 8;

export class Panes {
  /** The one that is shown. @type {Pane | null} */
  current = null;
  /** By name; the one that was shown last is the last. @type {Map<string, Pane>} */
  #panes = new Map();
  /** The markup of a room before any view changed it. */
  #pristine;
  #element;
  #options;

  /**
   * @param {HTMLElement} element the first room's, in the document
   * @param {{chat: import("../chat.js").Chat, base: URL, addresses: import("./address.js").Addresses, write(member: object): void, firstTitle: string}} options
   */
  constructor(element, options) {
    this.#pristine = element.cloneNode(true);
    this.#element = element;
    this.#options = options;
  }

  /** Shows a room, and enters it if necessary. @param {string} name @returns {Pane} */
  show(name) {
    if (name === this.current?.name && this.#element === this.current.element) return this.current;
    const known = this.#panes.get(name);
    const first = !this.current;
    const element = known?.element ?? (first ? this.#element : this.#pristine.cloneNode(true));
    if (element !== this.#element) this.#element.replaceWith(element);
    this.#element = element;
    const { chat, base, addresses, write, firstTitle } = this.#options;
    const title = first ? firstTitle : undefined;
    const pane = known ?? new Pane({ name, element, chat, base, address: addresses.of(name), title, write });
    this.#panes.delete(name);
    this.#panes.set(name, pane);
    this.current = pane;
    if (known || !first) pane.show();
    this.#forget();
    return pane;
  }

  /** Puts the markup of a room that has no name yet in place of the shown one, until the next `show`. @returns {HTMLElement} */
  cover() {
    const element = this.#pristine.cloneNode(true);
    this.#element.replaceWith(element);
    this.#element = element;
    return element;
  }

  /** The panes, the shown one last. @returns {Pane[]} */
  get all() {
    return [...this.#panes.values()];
  }

  #forget() {
    const idle = this.all.filter((pane) => pane !== this.current && pane.idle);
    for (const pane of idle.slice(0, Math.max(0, this.#panes.size - MAX_PANES))) {
      this.#panes.delete(pane.name);
      pane.close();
    }
  }
}
