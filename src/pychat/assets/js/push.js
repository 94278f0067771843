/**
 * Push messages in this browser: the server sends them for mentions and direct messages while the user is away, if the
 * user asked for it. The service worker of the page shows them: worker/push.js.
 */

import { Refusal } from "./refusal.js";

export class Push {
  #base;
  #token;

  /**
   * @param {object} options
   * @param {URL} options.base of the mount
   * @param {() => string | undefined} options.token returns the token of the guest; a login needs none
   */
  constructor({ base, token }) {
    this.#base = base;
    this.#token = token;
  }

  /**
   * What this browser does: `on`, `off`, `denied` by the user in the browser's own settings, or `unavailable`: the
   * browser cannot, or the server sends none.
   * @returns {Promise<"on" | "off" | "denied" | "unavailable">}
   */
  async state() {
    const registration = await this.#registration();
    if (!registration?.pushManager || !(await this.#key())) return "unavailable";
    if (Notification.permission === "denied") return "denied";
    return (await registration.pushManager.getSubscription()) ? "on" : "off";
  }

  /**
   * Asks the user, and then the server, for push messages. Call it in the handler of a click. Call it again after the
   * user has muted a room or is somebody else: a browser gets the messages of one user.
   * @param {string[]} [muted] names of rooms that are not told
   * @throws {Refusal}
   */
  async subscribe(muted = []) {
    const registration = await this.#registration();
    if (!registration?.pushManager) throw new Refusal("push_unavailable", "This browser takes no push messages here.");
    if ((await Notification.requestPermission()) !== "granted") throw new Refusal("push_denied", "The browser was told to show no notifications of this site.");
    const key = await this.#key();
    if (!key) throw new Refusal("push_unavailable", "This chat sends no push messages.");
    let subscription = await registration.pushManager.getSubscription();
    if (subscription && encoded(subscription.options.applicationServerKey) !== key) {
      await subscription.unsubscribe(); // of a server that has lost its key
      subscription = null;
    }
    try {
      subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: decoded(key) });
    } catch {
      throw new Refusal("push_unavailable", "The push service of this browser cannot be reached.");
    }
    await this.#fetch("POST", { ...subscription.toJSON(), muted });
  }

  /** Ends push messages in this browser. Call it at a logout, too. The browser forgets them even if the server cannot be reached. */
  async unsubscribe() {
    const registration = await this.#registration();
    const subscription = await registration?.pushManager?.getSubscription();
    if (!subscription) return;
    await subscription.unsubscribe();
    await this.#fetch("DELETE", { endpoint: subscription.endpoint }).catch(() => {}); // it ends by itself: no browser has it any more
  }

  async #registration() {
    return "PushManager" in globalThis ? navigator.serviceWorker?.getRegistration(this.#base) : undefined;
  }

  /** The key of the chat; `undefined` if it sends no push messages. */
  async #key() {
    try {
      return (await this.#fetch("GET")).key;
    } catch {
      return undefined;
    }
  }

  async #fetch(method, body) {
    const token = this.#token();
    let response;
    let answer;
    try {
      response = await fetch(new URL("api/push", this.#base), {
        method,
        headers: { ...(body && { "Content-Type": "application/json" }), ...(token && { Authorization: `Bearer ${token}` }) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(20_000),
      });
      answer = await response.json();
    } catch {
      throw new Refusal("offline", "The server cannot be reached. Try again.");
    }
    if (!response.ok || answer.ok === false) throw Refusal.from(answer.error);
    return answer;
  }
}

/** URL-safe Base64, without padding. @param {ArrayBuffer | null} buffer */
function encoded(buffer) {
  const text = btoa(String.fromCharCode(...new Uint8Array(buffer ?? new ArrayBuffer(0))));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @param {string} text */
function decoded(text) {
  return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
}
