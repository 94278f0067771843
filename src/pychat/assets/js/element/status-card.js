/** Shown in the element before the room: it is loading, cannot be reached, or is refused with a reason. */

import { write } from "../view/template-refs.js";
import { duration, has, t } from "../words.js";

export class StatusCard {
  #title = document.createElement("h2");
  #text = document.createElement("p");
  #button = document.createElement("button");
  #card = document.createElement("div");

  /** @param {ShadowRoot} root */
  constructor(root) {
    const frame = document.createElement("div");
    frame.className = "frame";
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
    this.#set("waiting", t("element.opening"), "");
  }

  /** Shows that the room cannot be reached. Resolves when it is time for the next attempt. @param {number} delay milliseconds @param {AbortSignal} signal */
  showUnreachable(delay, signal) {
    const until = Date.now() + delay;
    const tick = () => write(this.#text, t("element.again-in", { duration: duration(Math.max(1, until - Date.now())) }));
    this.#set("away", t("element.unreachable"), "", t("element.try-now"));
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
    const known = has(`element.${code}`);
    const title = known ? t(`element.${code}`) : t("element.refused");
    this.#set("refused", title, known ? t(`element.${code}.why`) : text, t("element.try-again"));
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
