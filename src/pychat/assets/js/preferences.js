/**
 * What the user prefers, for all rooms and tabs of this site. The browser's storage keeps it; without storage it lasts as
 * long as the page. boot.js reads the looks from it before the first paint.
 */

import { Emitter } from "./emitter.js";
import { browserStorage } from "./storage.js";

export const KEY = "pychat:preferences";

/** All keys with the values of a user who chose nothing. */
export const DEFAULTS = {
  /** @type {"system" | "light" | "dark" | "contrast"} */
  theme: "system",
  /** @type {"small" | "medium" | "large"} */
  size: "medium",
  /** @type {"comfortable" | "compact"} */
  density: "comfortable",
  /** @type {"auto" | "stream" | "bubbles"} */
  layout: "auto",
  /** Which messages show a notification of the desktop. @type {"off" | "mentions" | "all"} */
  notify: "off",
  sound: true,
  push: false,
  /** Keys of rooms that make neither notifications nor sounds. @type {Record<string, true>} */
  muted: {},
  /** Empty for the language of the browser. */
  language: "",
};

/** Emits `change` (the key) when this tab or another one changes a preference. */
export class Preferences extends Emitter {
  #storage;
  #chosen;

  /** @param {Storage} [storage] */
  constructor(storage = browserStorage()) {
    super();
    this.#storage = storage;
    this.#chosen = this.#read();
    globalThis.addEventListener?.("storage", ({ key }) => (key === KEY || key === null) && this.#reread());
  }

  /** @param {keyof typeof DEFAULTS} key */
  get(key) {
    return this.#chosen[key] ?? DEFAULTS[key];
  }

  /** Whether the user has chosen a value, be it the default. @param {keyof typeof DEFAULTS} key */
  isChosen(key) {
    return this.#chosen[key] !== undefined;
  }

  /** @param {keyof typeof DEFAULTS} key @param {any} value */
  set(key, value) {
    // Another tab may have changed other keys since.
    this.#chosen = { ...this.#read(this.#chosen), [key]: value };
    this.#storage.setItem(KEY, JSON.stringify(this.#chosen));
    this.emit("change", key);
  }

  /** Whether a room is silent. @param {string} room */
  isMuted(room) {
    return !!this.get("muted")[room];
  }

  /** @param {string} room @param {boolean} on */
  mute(room, on) {
    const { [room]: _, ...others } = this.get("muted");
    this.set("muted", on ? { ...others, [room]: true } : others);
  }

  #reread() {
    const before = this.#chosen;
    this.#chosen = this.#read();
    for (const key of Object.keys(DEFAULTS)) {
      if (JSON.stringify(before[key]) !== JSON.stringify(this.#chosen[key])) this.emit("change", key);
    }
  }

  #read(otherwise = {}) {
    try {
      const found = JSON.parse(this.#storage.getItem(KEY));
      return found && typeof found === "object" ? found : otherwise;
    } catch {
      return otherwise;
    }
  }
}

let shared;

/** The preferences of this page. @returns {Preferences} */
export const preferences = () => (shared ??= new Preferences());
