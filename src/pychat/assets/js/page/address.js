/** The addresses of rooms on this site. Pure. */

export class Addresses {
  #base;
  #home;

  /** @param {URL} base of the mount @param {string} home name of the room that is at the base; empty if there is none */
  constructor(base, home) {
    this.#base = base;
    this.#home = home;
  }

  /** The name of the room that is at the base; empty if there is none. */
  get home() {
    return this.#home;
  }

  /** @param {string} name of a room @returns {string} */
  of(name) {
    return name === this.#home ? this.#base.href : new URL(`rooms/${encodeURIComponent(name)}`, this.#base).href;
  }

  /** @param {string} href @returns {string} the name of the room there; empty if there is none */
  room(href) {
    const { pathname } = new URL(href);
    const rest = pathname.slice(this.#base.pathname.length);
    if (!rest.startsWith("rooms/")) return this.#home;
    try {
      return decodeURIComponent(rest.slice("rooms/".length));
    } catch {
      return "";
    }
  }
}
