/** Who wants to hear what. Calls listeners in the order in which they came; knows nothing of what is said. */

export class Emitter {
  #listeners = new Map();

  /**
   * Calls `listener` each time `event` happens.
   * @param {string} event
   * @param {(payload: any) => void} listener
   * @returns {() => void} stops it again
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
   * A listener that throws spoils nothing for the others: its error is reported as uncaught, where a console shows it.
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
