/** Scrolls with the end of the conversation, or keeps the reading position when lines are added above it. */

import { t } from "../words.js";
import { write } from "./template-refs.js";

/** Pixels from the end that count as the end. */
const NEAR = 48;
/** Pixels from an edge of what is drawn where more is needed. */
const EDGE = 800;

export class Scroll {
  following = true;
  /** The topmost visible message while the user reads further up. @type {HTMLElement | null} */
  line = null;
  /** Called after each change of the position. */
  moved = () => {};
  /** Called before the user is taken to the end, and after. */
  toNewest = () => {};
  /** Whether the document lacks the newest rows. */
  cut = false;
  /** Its distance from the top of the view. */
  #at = 0;
  #view;
  #list;
  #button;
  #text;
  #missed = 0;
  /** What the button shows: a number of messages, or -1 if it is hidden. */
  #shown;
  #top = 0;
  #height = 0;

  /** @param {import("./template-refs.js").TemplateRefs} refs */
  constructor(refs) {
    this.#view = refs.find("scroll");
    this.#list = refs.find("messages", "ol");
    this.#button = refs.find("latest", "button");
    this.#text = refs.find("latest-text");
    this.#view.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.#button.addEventListener("click", () => this.toNewest());
    // Keep the position when a screen keyboard opens, the message box grows or the window changes its size.
    const sizes = new ResizeObserver(() => this.settle());
    sizes.observe(this.#view);
    for (const child of this.#view.children) sizes.observe(child);
  }

  /** Counts new messages below the reading position. @param {number} count */
  miss(count) {
    if (this.following) return;
    this.#missed += count;
    this.#show();
  }

  /** Scrolls to the end and follows it. */
  toEnd() {
    this.following = true;
    this.settle();
  }

  /** Stops following the end. */
  leaveEnd() {
    this.following = false;
    this.#remember();
    this.#show();
  }

  /** Scrolls a line to the middle. @param {HTMLElement} line */
  to(line) {
    this.following = false;
    const { top, height } = line.getBoundingClientRect();
    const view = this.#view.getBoundingClientRect();
    this.#view.scrollTop += top - view.top - Math.max(0, (view.height - height) / 2);
    this.#remember();
    this.#show();
  }

  /** Scrolls a line to the upper part of the view if it is above it; else the end stays in view. @param {HTMLElement} line */
  showLine(line) {
    const { top } = this.#view.getBoundingClientRect();
    const above = line.getBoundingClientRect().top - top;
    if (above >= 0) return;
    this.following = false;
    this.#view.scrollTop += above - this.#view.clientHeight / 6;
    this.#remember();
    this.#show();
  }

  /** The last message whose end is in the visible part of the view. @param {number} bottom of the window @returns {HTMLElement | null} */
  lastVisible(bottom) {
    const view = this.#view.getBoundingClientRect();
    if (!view.height) return null;
    const limit = Math.min(view.bottom, bottom) + 1;
    const lines = this.#list.children;
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle].getBoundingClientRect().bottom <= limit) low = middle + 1;
      else high = middle;
    }
    for (low -= 1; low >= 0; low -= 1) if (lines[low].matches(".message[data-state=sent]")) return lines[low];
    return null;
  }

  /** Whether the reading position is near the first row of the document. */
  get nearTop() {
    return this.#top < EDGE;
  }

  /** Whether the reading position is near the last row of the document. */
  get nearBottom() {
    return this.#height - this.#top < EDGE;
  }

  /** Whether a line is above the visible part. @param {HTMLElement} line */
  isAbove(line) {
    return line.getBoundingClientRect().bottom < this.#view.getBoundingClientRect().top;
  }

  /** Whether a line is in the lower half of the view, or below it. @param {HTMLElement} line */
  isBelow(line) {
    const { top, height } = this.#view.getBoundingClientRect();
    return line.getBoundingClientRect().top > top + height / 2;
  }

  /** Restores the position after the content or the size changed. */
  settle() {
    // A room that is not shown has no positions.
    if (!this.#view.clientHeight) return;
    if (this.following) this.#view.scrollTop = this.#view.scrollHeight;
    // Scroll anchoring of browsers does not cover this: some lack it, and none does it at the top.
    else if (this.line?.isConnected) this.#view.scrollTop += this.#topOf(this.line) - this.#at;
    this.#remember();
    this.#show();
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.#view;
    const resized = scrollHeight - clientHeight !== this.#height;
    if (!this.cut && scrollHeight - clientHeight - scrollTop <= NEAR) this.following = true;
    // A change of size scrolls, too. Without one, scrolling up is the user's.
    else if (scrollTop < this.#top && !resized) this.following = false;
    this.#remember();
    this.#show();
    this.moved();
  }

  #remember() {
    this.#top = this.#view.scrollTop;
    this.#height = this.#view.scrollHeight - this.#view.clientHeight;
    this.line = this.following ? null : this.#firstVisible();
    if (this.line) this.#at = this.#topOf(this.line);
  }

  /** Measured at the text: the name above it depends on the message before. */
  #topOf(line) {
    return (line.querySelector(".text") ?? line).getBoundingClientRect().top - this.#view.getBoundingClientRect().top;
  }

  #firstVisible() {
    const lines = this.#list.children;
    const { top } = this.#view.getBoundingClientRect();
    let [low, high] = [0, lines.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    // Skip day lines: they move up when older messages of the day are added.
    while (low < lines.length && !lines[low].matches(".message")) low += 1;
    return lines[low] ?? null;
  }

  #show() {
    if (this.following) this.#missed = 0;
    const shown = this.following ? -1 : this.#missed;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#button.hidden = this.following;
    this.#button.classList.toggle("has-new", this.#missed > 0);
    this.#button.classList.toggle("only-arrow", this.#missed === 0);
    const words = t("log.new", { count: this.#missed });
    write(this.#text, this.#missed ? words : "");
    this.#button.setAttribute("aria-label", this.#missed ? words : t("log.newest"));
  }
}
