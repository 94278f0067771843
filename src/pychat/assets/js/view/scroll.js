/** Follows the conversation at its end, and holds the place of somebody who reads further up, whatever comes above it. */

import { write } from "./template-refs.js";

/** Pixels: as good as the end. */
const NEAR = 48;

export class Scroll {
  following = true;
  /** The topmost message in sight of somebody who reads further up. @type {HTMLElement | null} */
  line = null;
  /** Where it stands, from the top of the view. */
  #at = 0;
  #view;
  #list;
  #button;
  #text;
  #missed = 0;
  #top = 0;
  #height = 0;

  /** @param {import("./template-refs.js").TemplateRefs} refs */
  constructor(refs) {
    this.#view = refs.find("scroll");
    this.#list = refs.find("messages", "ol");
    this.#button = refs.find("latest", "button");
    this.#text = refs.find("latest-text");
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

  /** Follows no more. */
  leaveEnd() {
    this.following = false;
    this.#remember();
    this.#show();
  }

  /** Shows a line in the middle. @param {HTMLElement} line */
  to(line) {
    this.following = false;
    const { top, height } = line.getBoundingClientRect();
    const view = this.#view.getBoundingClientRect();
    this.#view.scrollTop += top - view.top - Math.max(0, (view.height - height) / 2);
    this.#remember();
    this.#show();
  }

  /** Whether a line is in the lower half of what is in sight, or under it. @param {HTMLElement} line */
  isBelow(line) {
    const { top, height } = this.#view.getBoundingClientRect();
    return line.getBoundingClientRect().top > top + height / 2;
  }

  /** After the content or the window changed. */
  settle() {
    if (this.following) this.#view.scrollTop = this.#view.scrollHeight;
    // By hand: not every browser does, and none does at the very top.
    else if (this.line?.isConnected) this.#view.scrollTop += this.#topOf(this.line) - this.#at;
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
    this.line = this.following ? null : this.#firstSeen();
    if (this.line) this.#at = this.#topOf(this.line);
  }

  /** Of the words: a name above them comes and goes with the message before. */
  #topOf(line) {
    return (line.querySelector(".bubble") ?? line).getBoundingClientRect().top - this.#view.getBoundingClientRect().top;
  }

  #firstSeen() {
    const lines = this.#list.children;
    const { top } = this.#view.getBoundingClientRect();
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    // The line of a day goes up when more of that day comes.
    while (low < lines.length && !lines[low].matches(".message")) low += 1;
    return lines[low] ?? null;
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
