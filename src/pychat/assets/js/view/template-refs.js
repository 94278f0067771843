/** Finds the pieces of one room's view by name and copies its templates. The views' only way to the document. */

export class TemplateRefs {
  /**
   * @param {Document | ShadowRoot} root what the pieces are in: a page of their own, or a box on somebody else's
   * @param {object} options
   * @param {string} options.key of this view among others of the same browser
   * @param {AbortSignal} [options.signal] ends what outlives the pieces: timers, and listeners elsewhere
   */
  constructor(root, { key, signal }) {
    this.root = root;
    this.key = key;
    this.signal = signal;
  }

  /**
   * A piece. Where a template of the embedding application left it out, a stand-in that is on no page, so that
   * nobody has to ask.
   * @param {string} name of `data-part`
   * @param {string} [tag] of the stand-in
   * @returns {HTMLElement}
   */
  find(name, tag = "div") {
    return this.root.querySelector(`[data-part="${name}"]`) ?? document.createElement(tag);
  }

  /** @param {string} name of `data-template` @returns {HTMLElement} */
  copy(name) {
    return document.importNode(this.root.querySelector(`[data-template="${name}"]`).content.firstElementChild, true);
  }

  /** What has the focus in here, if anything. @returns {Element | null} */
  get active() {
    return this.root.activeElement;
  }

  /** Whether it is a page of its own, not a box on somebody else's. */
  get wholePage() {
    return this.root === document;
  }

  /** Whether the focus may be taken unasked: on a page of one's own, or where it is here already. And no keyboard may come up. */
  get mayFocus() {
    return hasKeys() && (this.wholePage || this.active !== null);
  }

  /** Listens to something that outlives the view. @param {EventTarget} target @param {string} event @param {(event: any) => void} listener */
  listen(target, event, listener) {
    target.addEventListener(event, listener, { signal: this.signal });
  }

  /** @param {number} milliseconds @param {() => void} task */
  every(milliseconds, task) {
    const timer = setInterval(task, milliseconds);
    this.signal?.addEventListener("abort", () => clearInterval(timer));
  }
}

/** Sets the text, where it is another: a live region speaks at every touch. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Whether typing happens on keys, so that taking the focus does not throw a keyboard up. */
export const hasKeys = () => matchMedia("(hover: hover) and (pointer: fine)").matches;
