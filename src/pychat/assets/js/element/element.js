/**
 * `<pychat-room src="/chat/" room="lobby">`: a room on any page. Manages the element's lifetime and attributes; its
 * content is the same view as on the chat page.
 */

import { connect, mounted } from "../client.js";
import { Entrance } from "../entrance.js";
import { Refusal } from "../refusal.js";
import { appearance } from "../view/appearance.js";
import { showTitle } from "../view/heading.js";
import { TemplateRefs } from "../view/template-refs.js";
import { view } from "../view/view.js";
import { reflect, upgrade } from "./attributes.js";
import "./first-words.js";
import { loadFrame } from "./frame.js";
import { languageOf, loadWords } from "./load-words.js";
import { StatusCard } from "./status-card.js";
import { styles } from "./styles.js";

/** Attributes that identify the room; a change opens it again. All attributes are properties, too. */
const ROOM_ATTRIBUTES = ["src", "room", "language"];
const ATTRIBUTES = [...ROOM_ATTRIBUTES, "name", "theme", "placeholder"];
const KEYS = ["keydown", "keypress", "keyup"];
/** Milliseconds. */
const FIRST_DELAY = 1000;
const MAX_DELAY = 10_000;

/**
 * Dispatches events that do not bubble: `message` (Message), `joined` (Member) and `status` (as `client.state`), each
 * with its value as `detail`.
 */
export class PychatRoom extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  #root = this.attachShadow({ mode: "open" });
  /** Aborted when the element is removed from its document. @type {AbortController | null} */
  #lifetime = null;
  #client = null;
  #field = null;
  #status = { name: "closed" };
  #opened = deferred();
  #token;

  constructor() {
    super();
    // The host page does not see that these keys come from a field, so its shortcuts would react to them.
    for (const type of KEYS) this.#root.addEventListener(type, (event) => isTyped(event) && event.stopPropagation());
  }

  /**
   * The application's token for the user: a text, or a function that is called for each connection.
   * @param {string | (() => string | Promise<string>) | undefined} token
   */
  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#lifetime) this.#reopen();
  }

  get token() {
    return this.#token;
  }

  /** The room, as `connect()` returns it; `null` until it is open. @returns {import("../room.js").Room | null} */
  get client() {
    return this.#client;
  }

  /** The state of the connection, as in the `status` event. @returns {import("../connection.js").State} */
  get status() {
    return this.#status;
  }

  /**
   * Sends a message as soon as the room is open.
   * @param {string} text @param {{replyTo?: number}} [options]
   * @returns {Promise<{id: string, seq: number, date: string}>} resolves when it is stored
   * @throws {Refusal} such as `not_joined`, or the reason why the room cannot be opened
   */
  async say(text, options) {
    const client = await this.#opened;
    return client.say(text, options);
  }

  connectedCallback() {
    upgrade(this, [...ATTRIBUTES, "token"]);
    if (!this.#lifetime) this.#start();
  }

  // An element that is moved is connected again before the microtask runs.
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#stop());
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#lifetime) return;
    if (name === "name" && now) this.#client?.join(now).catch((refusal) => this.#client?.emit("ask", refusal));
    if (name === "placeholder") this.#setPlaceholder();
    if (ROOM_ATTRIBUTES.includes(name)) this.#reopen();
  }

  /** Opens the room again, once for all changes of this turn. */
  #reopen() {
    const lifetime = this.#lifetime;
    queueMicrotask(() => {
      if (lifetime !== this.#lifetime) return;
      this.#stop();
      this.#start();
    });
  }

  #start() {
    this.#lifetime = new AbortController();
    this.#open(this.#lifetime.signal);
  }

  #stop() {
    this.#lifetime?.abort();
    this.#lifetime = null;
    this.#client = null;
    this.#field = null;
    this.#opened.reject(new Refusal("closed"));
    this.#opened = deferred();
    this.#root.replaceChildren();
    this.#setStatus({ name: "closed" });
  }

  async #open(signal) {
    const room = this.getAttribute("room") ?? undefined;
    const language = languageOf(this);
    const card = new StatusCard(this.#root);
    let base;
    try {
      const src = this.getAttribute("src");
      base = mounted(src === null ? undefined : new URL(src, this.baseURI));
    } catch {
      return this.#refuse(card, new Refusal("no_chat", `“${this.getAttribute("src")}” is no address; write src="/chat/" or src="https://chat.example/".`));
    }
    for (let delay = FIRST_DELAY; ; delay = Math.min(MAX_DELAY, delay * 2)) {
      card.showLoading();
      this.#setStatus({ name: "connecting" });
      const [frame, sheets] = await Promise.all([loadFrame(base, room, language, signal), styles()]);
      if (signal.aborted) return;
      if (sheets) this.#root.adoptedStyleSheets = sheets;
      if (frame instanceof Refusal) {
        await loadWords(base, language);
        return signal.aborted ? undefined : this.#refuse(card, frame);
      }
      if (frame && sheets) return this.#show(frame, base, room, signal);
      if (delay === FIRST_DELAY) {
        console.warn(`${this.#tag()} cannot reach ${base.href}. Is the server up, and “src” where pychat is mounted? If this page has a Content-Security-Policy, its connect-src must name ${base.origin}.`);
      }
      this.#setStatus({ name: "connecting", text: "The chat cannot be reached.", retryAt: Date.now() + delay });
      await card.showUnreachable(delay, signal);
      if (signal.aborted) return;
    }
  }

  #show(frame, base, room, signal) {
    this.#root.replaceChildren(frame);
    const client = connect({ url: base, room, name: this.getAttribute("name") ?? undefined, token: this.#token });
    this.#client = client;
    signal.addEventListener("abort", () => client.close());
    const name = room ?? frame.dataset.room;
    const entrance = new Entrance({ base, room: name, token: () => client.token, become: (token) => client.become(token) });
    const address = new URL(`rooms/${encodeURIComponent(name)}`, base).href;
    const refs = new TemplateRefs(this.#root, { key: `${base.href}:${room ?? ""}`, address, signal });
    this.#field = refs.find("text", "textarea");
    this.#setPlaceholder();
    view(client, refs, entrance);
    appearance(frame, signal);
    for (const event of ["welcome", "room"]) client.on(event, () => {
      showTitle(refs, client.about.title);
      frame.setAttribute("aria-label", client.about.title);
    });
    client.on("message", (message) => this.#dispatch("message", message));
    client.on("joined", (member) => this.#dispatch("joined", member));
    client.on("state", (state) => this.#client === client && this.#setStatus(state));
    this.#opened.resolve(client);
  }

  #refuse(card, refusal) {
    const { code, text } = refusal;
    console.error(`${this.#tag()}: ${text}`);
    this.#opened.reject(refusal);
    this.#setStatus({ name: "refused", text, code });
    card.showRefusal(refusal, () => this.#reopen());
  }

  #setPlaceholder() {
    if (!this.#field) return;
    this.#field.dataset.placeholder ??= this.#field.placeholder;
    this.#field.placeholder = this.getAttribute("placeholder") ?? this.#field.dataset.placeholder;
  }

  #setStatus(state) {
    this.#status = state;
    this.#dispatch("status", state);
  }

  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** The element's tag as text, for the console. */
  #tag() {
    const attributes = ROOM_ATTRIBUTES.filter((name) => this.hasAttribute(name)).map((name) => ` ${name}="${this.getAttribute(name)}"`);
    return `<${this.localName}${attributes.join("")}>`;
  }
}

reflect(PychatRoom, ATTRIBUTES);

function isTyped({ target, key, ctrlKey, metaKey, altKey }) {
  return !ctrlKey && !metaKey && !altKey && key !== "Escape" && key !== "Tab" && !!target.closest?.("input, textarea");
}

/** A promise with its resolve and reject functions; an unhandled rejection is ignored. */
function deferred() {
  let settle;
  const made = new Promise((resolve, reject) => (settle = { resolve, reject }));
  made.catch(() => {});
  return Object.assign(made, settle);
}

// The script of another pychat server may have defined it already.
if (!customElements.get("pychat-room")) customElements.define("pychat-room", PychatRoom);
