/** Follows the conversation at its end, and never pulls at somebody who reads further up. */

import { part, write } from "./parts.js";

/** Pixels: as good as the end. */
const NEAR = 48;

export class Scroll {
  following = true;
  #view = part("scroll");
  #button = part("latest", "button");
  #text = part("latest-text");
  #missed = 0;
  #top = 0;
  #height = 0;

  constructor() {
    this.#view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => {
      this.toEnd();
      // The button is gone now, and the focus must be somewhere.
      this.#view.focus({ preventScroll: true });
    });
    // The keyboard comes up, the message box grows, a picture of the window changes: the end stays the end.
    const sizes = new ResizeObserver(() => this.settle());
    sizes.observe(this.#view);
    for (const child of this.#view.children) sizes.observe(child);
  }

  /** @param {number} count of messages that came below what is read */
  miss(count) {
    if (this.following) return;
    this.#missed += count;
    this.#show();
  }

  /** Goes on following, from wherever. */
  toEnd() {
    this.following = true;
    this.settle();
  }

  /** After the content or the window changed. */
  settle() {
    if (this.following) this.#view.scrollTop = this.#view.scrollHeight;
    this.#remember();
    this.#show();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#view;
    const resized = scrollHeight - clientHeight !== this.#height;
    if (scrollHeight - clientHeight - scrollTop <= NEAR) this.following = true;
    // A view that changes its size scrolls by itself; only a reader goes up while nothing else changes.
    else if (scrollTop < this.#top && !resized) this.following = false;
    this.#remember();
    this.#show();
  }

  #remember() {
    this.#top = this.#view.scrollTop;
    this.#height = this.#view.scrollHeight - this.#view.clientHeight;
  }

  #show() {
    if (this.following) this.#missed = 0;
    this.#button.hidden = this.following;
    this.#button.classList.toggle("has-new", this.#missed > 0);
    this.#button.classList.toggle("only-arrow", this.#missed === 0);
    const words = this.#missed === 1 ? "1 new message" : `${this.#missed} new messages`;
    write(this.#text, this.#missed ? words : "");
    this.#button.setAttribute("aria-label", this.#missed ? words : "To the newest message");
  }
}
