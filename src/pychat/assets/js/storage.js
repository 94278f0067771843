/** A Storage that never throws: the browser's if it is allowed, else memory. */

/** @implements {Storage} */
export class MemoryStorage {
  #values = new Map();

  get length() {
    return this.#values.size;
  }

  key(index) {
    return [...this.#values.keys()][index] ?? null;
  }

  getItem(key) {
    return this.#values.get(key) ?? null;
  }

  setItem(key, value) {
    this.#values.set(key, String(value));
  }

  removeItem(key) {
    this.#values.delete(key);
  }

  clear() {
    this.#values.clear();
  }
}

/**
 * The browser's storage. A sandboxed frame or a privacy setting may forbid it; then a storage in memory replaces it.
 * @param {"localStorage" | "sessionStorage"} [kind]
 * @returns {Storage}
 */
export function browserStorage(kind = "localStorage") {
  let real;
  try {
    real = globalThis[kind];
    const probe = "pychat:probe";
    real.setItem(probe, "1");
    real.removeItem(probe);
  } catch {
    return new MemoryStorage();
  }
  return {
    get length() {
      return real.length;
    },
    key: (index) => real.key(index),
    getItem: (key) => real.getItem(key),
    setItem(key, value) {
      try {
        real.setItem(key, value);
      } catch {
        // The quota is exceeded: the value is lost when the page closes.
      }
    },
    removeItem: (key) => real.removeItem(key),
    clear: () => real.clear(),
  };
}
