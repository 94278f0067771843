/** Who the user is in one room: name, token and member id. The browser's storage keeps them, and its tabs share them. */

export class Identity {
  #storage;
  #key;
  #login = null;

  /** @param {Storage} storage @param {string} key */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  /** Reads the storage each time: another tab may have got a new token. @returns {{id?: string, name?: string, token?: string}} */
  get current() {
    if (this.#login) return this.#login;
    try {
      return JSON.parse(this.#storage.getItem(this.#key)) ?? {};
    } catch {
      return {};
    }
  }

  /**
   * Uses the identity of a login. It is not saved: the login may end.
   * @param {{id: string, name?: string} | null} member `null` for a guest
   */
  setLogin(member) {
    this.#login = member && { id: member.id, name: member.name };
  }

  /** @param {{id: string, name: string, token: string}} identity of a guest */
  save({ id, name, token }) {
    const { shown } = this.current;
    this.#storage.setItem(this.#key, JSON.stringify({ id, name, token, shown }));
  }

  /** The room lets the guest of this token in, and has to see it on each connection. @param {string} token */
  become(token) {
    this.#storage.setItem(this.#key, JSON.stringify({ ...this.current, token, shown: true }));
  }

  /** The token that the room has to see on each connection, if any. @returns {string | undefined} */
  get shownToken() {
    const { token, shown } = this.current;
    return shown ? token : undefined;
  }

  forget() {
    this.#storage.removeItem(this.#key);
  }
}

/**
 * Makes an id for a message: 22 characters of `A-Z a-z 0-9 _ -`, 128 random bits.
 * `crypto.randomUUID` exists only on https and localhost, and a chat on the local network has neither.
 * @returns {string}
 */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
