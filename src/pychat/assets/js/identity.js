/** Who this browser is in one room: name, token and member id, kept over reloads and shared by its tabs. */

export class Identity {
  #storage;
  #key;
  #known = null;

  /** @param {Storage} storage @param {string} key */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  /** Read anew each time: another tab may have been given another token. @returns {{id?: string, name?: string, token?: string}} */
  get current() {
    if (this.#known) return this.#known;
    try {
      return JSON.parse(this.#storage.getItem(this.#key)) ?? {};
    } catch {
      return {};
    }
  }

  /**
   * Somebody whom a login names: not ours to keep, for the login may end. `null` for a guest again.
   * @param {{id: string, name?: string} | null} member
   */
  know(member) {
    this.#known = member && { id: member.id, name: member.name };
  }

  /** @param {{id: string, name: string, token: string}} known */
  keep({ id, name, token }) {
    this.#storage.setItem(this.#key, JSON.stringify({ id, name, token }));
  }

  forget() {
    this.#storage.removeItem(this.#key);
  }
}

/**
 * An id for a message: 22 characters of `A-Z a-z 0-9 _ -`, 128 random bits.
 * `crypto.randomUUID` is there only on https and localhost; a chat on the local network has neither.
 * @returns {string}
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
