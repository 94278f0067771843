/**
 * `<pychat-room src="/chat/" room="lobby">`: a room in a box on anybody's page. Owns the box and how long it lives;
 * what is in it is the view, the same as on pychat's own page.
 */

import { connect, mounted } from "../client.js";
import { Refusal } from "../refusal.js";
import { TemplateRefs } from "../view/template-refs.js";
import { view } from "../view/view.js";
import { frameOf } from "./frame.js";
import { StatusCard } from "./status-card.js";
import { styles } from "./styles.js";

/** Attributes that are properties too; a change of the first two opens another room. */
const OPENING = ["src", "room"];
const ATTRIBUTES = [...OPENING, "name", "theme", "placeholder"];
const KEYS = ["keydown", "keypress", "keyup"];
/** Milliseconds. */
const FIRST_DELAY = 1000;
const LONGEST_DELAY = 10_000;

/**
 * Tells, by events that do not bubble, `message` (a message of the room), `joined` (the member that one is now) and
 * `status` (as `client.state`); each has what it tells as `detail`.
 */
export class PychatRoom extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  #root = this.attachShadow({ mode: "open" });
  /** Ends what was begun when the element came into a document. @type {AbortController | null} */
  #life = null;
  #client = null;
  #field = null;
  #status = { name: "closed" };
  #opened = promise();
  #token;

  constructor() {
    super();
    // To the page around, keys in here come from no field: its shortcuts would take every letter for theirs.
    for (const type of KEYS) this.#root.addEventListener(type, (event) => isTyped(event) && event.stopPropagation());
  }

  /**
   * The login of your application for this person: a text, or a function that gives one for each connection.
   * @param {string | (() => string | Promise<string>) | undefined} token
   */
  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#life) this.#again();
  }

  get token() {
    return this.#token;
  }

  /** The room, as `connect()` gives it, once it is open. @returns {import("../room.js").Room | null} */
  get client() {
    return this.#client;
  }

  /** The state of the connection, as the event `status` tells it. @returns {import("../connection.js").State} */
  get status() {
    return this.#status;
  }

  /**
   * Says something, as soon as the room is open.
   * @param {string} text @param {{replyTo?: number}} [options]
   * @returns {Promise<{id: string, seq: number, date: string}>} when it is stored
   * @throws {Refusal} such as `not_joined`, or why the room cannot be opened
   */
  async say(text, options) {
    const client = await this.#opened;
    return client.say(text, options);
  }

  connectedCallback() {
    for (const name of [...ATTRIBUTES, "token"]) this.#upgrade(name);
    if (!this.#life) this.#begin();
  }

  /** A page may have set a property before this file came, which then hides ours. */
  #upgrade(name) {
    if (!Object.hasOwn(this, name)) return;
    const value = this[name];
    delete this[name];
    this[name] = value;
  }

  // Moved to another place of the document, it has come back before this turn is over.
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#end());
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#life) return;
    if (name === "name" && now) this.#client?.join(now).catch((refusal) => this.#client?.emit("ask", refusal));
    if (name === "placeholder") this.#hint();
    if (OPENING.includes(name)) this.#again();
  }

  /** Opens what it is told to now. Several things may change in one turn. */
  #again() {
    const life = this.#life;
    queueMicrotask(() => {
      if (life !== this.#life) return;
      this.#end();
      this.#begin();
    });
  }

  #begin() {
    this.#life = new AbortController();
    this.#open(this.#life.signal);
  }

  #end() {
    this.#life?.abort();
    this.#life = null;
    this.#client = null;
    this.#field = null;
    this.#opened.reject(new Refusal("closed"));
    this.#opened = promise();
    this.#root.replaceChildren();
    this.#tell({ name: "closed" });
  }

  async #open(signal) {
    const room = this.getAttribute("room") ?? undefined;
    const card = new StatusCard(this.#root);
    let base;
    try {
      const src = this.getAttribute("src");
      base = mounted(src === null ? undefined : new URL(src, this.baseURI));
    } catch {
      return this.#refuse(card, new Refusal("no_chat", `“${this.getAttribute("src")}” is no address; write src="/chat/" or src="https://chat.example/".`));
    }
    for (let delay = FIRST_DELAY; ; delay = Math.min(LONGEST_DELAY, delay * 2)) {
      card.wait();
      this.#tell({ name: "connecting" });
      const [frame, sheets] = await Promise.all([frameOf(base, room, signal), styles()]);
      if (signal.aborted) return;
      if (sheets) this.#root.adoptedStyleSheets = sheets;
      if (frame instanceof Refusal) return this.#refuse(card, frame);
      if (frame && sheets) return this.#show(frame, base, room, signal);
      if (delay === FIRST_DELAY) {
        console.warn(`${this.#called()} cannot reach ${base.href}. Is the server up, and “src” where pychat is mounted? If this page has a Content-Security-Policy, its connect-src must name ${base.origin}.`);
      }
      this.#tell({ name: "connecting", text: "The chat cannot be reached.", retryAt: Date.now() + delay });
      await card.away(delay, signal);
      if (signal.aborted) return;
    }
  }

  #show(frame, base, room, signal) {
    this.#root.replaceChildren(frame);
    const client = connect({ url: base, room, name: this.getAttribute("name") ?? undefined, token: this.#token });
    this.#client = client;
    signal.addEventListener("abort", () => client.close());
    const refs = new TemplateRefs(this.#root, { key: `${base.href}:${room ?? ""}`, signal });
    this.#field = refs.find("text", "textarea");
    this.#hint();
    view(client, refs);
    client.on("message", (message) => this.#dispatch("message", message));
    client.on("joined", (member) => this.#dispatch("joined", member));
    client.on("state", (state) => this.#client === client && this.#tell(state));
    this.#opened.resolve(client);
  }

  #refuse(card, refusal) {
    const { code, text } = refusal;
    console.error(`${this.#called()}: ${text}`);
    this.#opened.reject(refusal);
    this.#tell({ name: "refused", text, code });
    card.refuse(refusal, () => this.#again());
  }

  #hint() {
    if (!this.#field) return;
    this.#field.dataset.placeholder ??= this.#field.placeholder;
    this.#field.placeholder = this.getAttribute("placeholder") ?? this.#field.dataset.placeholder;
  }

  #tell(state) {
    this.#status = state;
    this.#dispatch("status", state);
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** As it stands in the page, for the console. */
  #called() {
    const attributes = OPENING.filter((name) => this.hasAttribute(name)).map((name) => ` ${name}="${this.getAttribute(name)}"`);
    return `<${this.localName}${attributes.join("")}>`;
  }
}

for (const name of ATTRIBUTES) {
  Object.defineProperty(PychatRoom.prototype, name, {
    configurable: true,
    enumerable: true,
    get() {
      return this.getAttribute(name);
    },
    set(value) {
      if (value === null || value === undefined) this.removeAttribute(name);
      else this.setAttribute(name, value);
    },
  });
}

function isTyped({ target, key, ctrlKey, metaKey, altKey }) {
  return !ctrlKey && !metaKey && !altKey && key !== "Escape" && key !== "Tab" && !!target.closest?.("input, textarea");
}

/** A promise that others settle; nobody has to wait for it. */
function promise() {
  let settle;
  const made = new Promise((resolve, reject) => (settle = { resolve, reject }));
  made.catch(() => {});
  return Object.assign(made, settle);
}

// Another server's script may have been first; whose it is does not matter.
if (!customElements.get("pychat-room")) customElements.define("pychat-room", PychatRoom);
