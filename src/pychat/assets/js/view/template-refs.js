/** Finds elements of a room's template by name and copies its templates. Views access the document only through it. */

export class TemplateRefs {
  /**
   * @param {HTMLElement | ShadowRoot} root of the template: a part of the chat page, or the element's shadow root
   * @param {object} options
   * @param {string} options.key identifies the view in the browser's storage
   * @param {string} [options.address] of the room's page
   * @param {AbortSignal} [options.signal] stops timers and listeners on other targets
   * @param {boolean} [options.wholePage] whether the view is the chat page, not an element on another page
   */
  constructor(root, { key, address, signal, wholePage = false }) {
    this.root = root;
    this.key = key;
    this.address = address;
    this.signal = signal;
    this.wholePage = wholePage;
    const frame = root.closest?.("[data-pychat]") ?? root.querySelector("[data-pychat]");
    /** Whether texts are shown without Markdown. */
    this.plain = frame?.dataset.markdown === "off";
  }

  /**
   * Finds an element. If a custom template lacks it, returns a new element outside the document, so that callers need
   * no check.
   * @param {string} name of `data-part`
   * @param {string} [tag] of the new element
   * @returns {HTMLElement}
   */
  find(name, tag = "div") {
    return this.root.querySelector(`[data-part="${name}"]`) ?? document.createElement(tag);
  }

  /** Copies a template. @param {string} name of `data-template` @returns {HTMLElement} */
  copy(name) {
    return document.importNode(this.root.querySelector(`[data-template="${name}"]`).content.firstElementChild, true);
  }

  /** The focused element of the view, if any. @returns {Element | null} */
  get active() {
    const { activeElement } = this.root.getRootNode();
    return this.root.contains(activeElement) ? activeElement : null;
  }

  /** The element that holds the view's dialogs. @returns {HTMLElement} */
  get frame() {
    return this.root.querySelector(".app") ?? this.root;
  }

  /** Whether the user can see the view now. */
  get inSight() {
    return !document.hidden && document.hasFocus() && this.root.isConnected;
  }

  /** Whether a view may take the focus: it is the chat page or has the focus already, and no screen keyboard opens. */
  get mayFocus() {
    return hasKeys() && (this.wholePage || this.active !== null);
  }

  /** Adds a listener that is removed with the view. @param {EventTarget} target @param {string} event @param {(event: any) => void} listener @param {AddEventListenerOptions} [options] */
  listen(target, event, listener, options = {}) {
    target.addEventListener(event, listener, { ...options, signal: this.signal });
  }

  /** Repeats a task until the view is removed. @param {number} milliseconds @param {() => void} task */
  every(milliseconds, task) {
    const timer = setInterval(task, milliseconds);
    this.signal?.addEventListener("abort", () => clearInterval(timer));
  }
}

/** Sets the text if it differs: a live region speaks at every assignment. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Whether the device has a keyboard, so that focusing a field opens no screen keyboard. */
export const hasKeys = () => matchMedia("(hover: hover) and (pointer: fine)").matches;
