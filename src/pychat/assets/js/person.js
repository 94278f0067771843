/**
 * Who the user is in all rooms of a chat: the token that the server gave them, their member id, and the name that they
 * took last. The browser's storage keeps them, and its tabs share them.
 */

export class Person {
  #storage;
  #key;
  #id;
  #login = null;

  /** @param {Storage} storage @param {string} key */
  constructor(storage, key) {
    this.#storage = storage;
    this.#key = key;
  }

  /** The token of a guest. @returns {string | undefined} */
  get token() {
    return this.#kept.token;
  }

  /** Who the user is, without the token: a connection sends it once for all rooms. @returns {{id?: string, name?: string}} */
  get current() {
    if (this.#login) return this.#login;
    const { id, name } = this.#kept;
    return { id: this.#id ?? id, name };
  }

  /** Applies the `welcome` of a connection. @param {{id: string, token?: string, you?: object}} welcome */
  welcomed({ id, token, you }) {
    this.#id = id;
    if (!you) this.#keep({ id, ...(token && { token }) });
  }

  /** The server gave the user another token, with which they are somebody else. @param {string} token */
  become(token) {
    this.#keep({ token, id: undefined });
  }

  /** Uses the identity of a login. It is not saved: the login may end. @param {{id: string, name?: string} | null} member */
  setLogin(member) {
    this.#login = member && { id: member.id, name: member.name };
  }

  /** Keeps the name of a guest. @param {{id: string, name: string}} member */
  save({ id, name }) {
    this.#keep({ id, name });
  }

  /** Forgets the name. The person stays the same: other rooms know them. */
  forget() {
    this.#keep({ name: undefined });
  }

  /** Takes over what version 1 kept for one room, unless the person is known already. @param {{id?: string, name?: string, token?: string}} identity */
  adopt({ id, name, token }) {
    if (!this.#kept.token && !this.#kept.name && name) this.#keep({ id, name, token });
  }

  /** Reads the storage each time: another tab may have changed it. */
  get #kept() {
    try {
      return JSON.parse(this.#storage.getItem(this.#key)) ?? {};
    } catch {
      return {};
    }
  }

  #keep(changes) {
    this.#storage.setItem(this.#key, JSON.stringify({ ...this.#kept, ...changes }));
  }
}
