/** Shown in the element before the room: it is loading, cannot be reached, or is refused with a reason. */

import { duration } from "../time.js";
import { write } from "../view/template-refs.js";

const TEXTS = {
  unknown_room: ["There is no such room", "This chat has no room of that name."],
  origin_refused: ["The chat is not open to this page", "The operators of the chat must allow this website first."],
  no_chat: ["The chat is not here", "There is no chat at this address."],
};
const DEFAULT_TEXT = ["The chat cannot be opened", ""];

export class StatusCard {
  #title = document.createElement("h2");
  #text = document.createElement("p");
  #button = document.createElement("button");
  #card = document.createElement("div");

  /** @param {ShadowRoot} root */
  constructor(root) {
    const frame = document.createElement("div");
    frame.className = "frame";
    frame.lang = "en";
    frame.dir = "ltr";
    frame.setAttribute("part", "frame");
    this.#card.className = "status-card";
    this.#card.setAttribute("part", "placard");
    this.#card.setAttribute("role", "status");
    this.#button.className = "button";
    this.#button.type = "button";
    this.#card.append(this.#title, this.#text, this.#button);
    frame.append(this.#card);
    root.replaceChildren(frame);
  }

  /** Shows that the room is loading. */
  showLoading() {
    this.#set("waiting", "Opening the chat…", "");
  }

  /** Shows that the room cannot be reached. Resolves when it is time for the next attempt. @param {number} delay milliseconds @param {AbortSignal} signal */
  showUnreachable(delay, signal) {
    const until = Date.now() + delay;
    const tick = () => write(this.#text, `Trying again in ${duration(Math.max(1, until - Date.now()))}.`);
    this.#set("away", "The chat cannot be reached", "", "Try now");
    tick();
    return new Promise((resolve) => {
      const ticking = setInterval(tick, 1000);
      const waiting = setTimeout(done, delay);
      function done() {
        clearInterval(ticking);
        clearTimeout(waiting);
        resolve();
      }
      this.#button.onclick = done;
      addEventListener("online", done, { once: true, signal });
      signal.addEventListener("abort", done);
    });
  }

  /** Shows a refusal. @param {import("../refusal.js").Refusal} refusal @param {() => void} retry */
  showRefusal({ code, text }, retry) {
    const [title, why] = TEXTS[code] ?? DEFAULT_TEXT;
    this.#set("refused", title, why || text, "Try again");
    this.#button.onclick = retry;
  }

  #set(kind, title, text, button = "") {
    this.#card.dataset.kind = kind;
    write(this.#title, title);
    write(this.#text, text);
    write(this.#button, button);
    this.#button.hidden = !button;
  }
}
