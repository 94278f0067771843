/** Event listeners, called in the order in which they were added. */

export class Emitter {
  #listeners = new Map();

  /**
   * Calls `listener` each time `event` happens.
   * @param {string} event
   * @param {(payload: any) => void} listener
   * @returns {() => void} removes the listener
   */
  on(event, listener) {
    if (!this.#listeners.has(event)) this.#listeners.set(event, new Set());
    this.#listeners.get(event).add(listener);
    return () => this.off(event, listener);
  }

  /** @param {string} event @param {(payload: any) => void} listener */
  off(event, listener) {
    this.#listeners.get(event)?.delete(listener);
  }

  /**
   * Calls the listeners. If one throws, the others are still called, and its error is reported as uncaught.
   * @param {string} event @param {any} [payload]
   */
  emit(event, payload) {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      try {
        listener(payload);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
