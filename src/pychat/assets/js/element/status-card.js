/** What stands in the box while there is no room in it: that it comes, that it cannot be reached, or why it may not be. */

import { write } from "../view/template-refs.js";

const WORDS = {
  unknown_room: ["There is no such room", "This chat has no room of that name."],
  origin_refused: ["The chat is not open to this page", "Those who run the chat have to allow this web site first."],
  no_chat: ["The chat is not here", "Nothing at this address is a chat."],
};
const OTHERWISE = ["The chat cannot be opened", ""];

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

  /** It comes. */
  wait() {
    this.#set("waiting", "Opening the chat…", "");
  }

  /** It cannot be reached. Resolves when it is to be tried again. @param {number} delay milliseconds @param {AbortSignal} signal */
  away(delay, signal) {
    const until = Date.now() + delay;
    const tick = () => write(this.#text, `Trying again in ${Math.max(1, Math.ceil((until - Date.now()) / 1000))} s.`);
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

  /** It may not be. @param {import("../refusal.js").Refusal} refusal @param {() => void} again */
  refuse({ code, text }, again) {
    const [title, why] = WORDS[code] ?? OTHERWISE;
    this.#set("refused", title, why || text, "Try again");
    this.#button.onclick = again;
  }

  #set(kind, title, text, button = "") {
    this.#card.dataset.kind = kind;
    write(this.#title, title);
    write(this.#text, text);
    write(this.#button, button);
    this.#button.hidden = !button;
  }
}
