/**
 * `<pychat-unread src="/chat/" room="lobby">`: a badge with the number of messages that the user has not read, in one
 * room or in all, on any page. It is empty and takes no space while there are none.
 */

import { mounted } from "../client.js";
import { t } from "../words.js";
import { reflect, upgrade } from "./attributes.js";
import "./first-words.js";
import { languageOf, loadWords } from "./load-words.js";
import { acquire } from "./shared-chat.js";

const ATTRIBUTES = ["src", "room", "language", "mentions"];
const MAX_COUNT = 99;

const STYLE = `
  :host { display: inline-block; vertical-align: middle; }
  :host([hidden]), span[hidden] { display: none; }
  span {
    box-sizing: border-box;
    display: block;
    min-width: 1.5em;
    padding: 0 0.4em;
    border-radius: 1em;
    background: var(--pychat-accent, light-dark(#0b6e5d, #4fc4a7));
    color: var(--pychat-on-accent, light-dark(#fff, #06231b));
    font: 650 0.75em/1.5 var(--pychat-font, system-ui, sans-serif);
    font-variant-numeric: tabular-nums;
    text-align: center;
  }
`;

let sheet;

/** Dispatches `unread` ({messages, mentions}), which does not bubble, when the numbers have changed. */
export class PychatUnread extends HTMLElement {
  static observedAttributes = ATTRIBUTES;

  /** What the user has not read. @type {{messages: number, mentions: number}} */
  counts = { messages: 0, mentions: 0 };
  #badge = document.createElement("span");
  #opened = null;
  #stop = null;
  #token;

  constructor() {
    super();
    const root = this.attachShadow({ mode: "open" });
    if (!sheet) (sheet = new CSSStyleSheet()).replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#badge.setAttribute("part", "badge");
    this.#badge.setAttribute("role", "img");
    this.#badge.hidden = true;
    root.append(this.#badge);
  }

  /** The application's token for the user, as of `<pychat-room>`. @param {string | (() => string | Promise<string>) | undefined} token */
  set token(token) {
    if (token === this.#token) return;
    this.#token = token;
    if (this.#opened) this.#reopen();
  }

  get token() {
    return this.#token;
  }

  connectedCallback() {
    upgrade(this, [...ATTRIBUTES, "token"]);
    if (!this.#opened) this.#open();
  }

  // An element that is moved is connected again before the microtask runs.
  disconnectedCallback() {
    queueMicrotask(() => this.isConnected || this.#close());
  }

  connectedMoveCallback() {}

  attributeChangedCallback(name, before, now) {
    if (before === now || !this.#opened) return;
    if (name === "src" || name === "language") this.#reopen();
    else this.#show();
  }

  /** Once for all changes of this turn. */
  #reopen() {
    const opened = this.#opened;
    queueMicrotask(() => {
      if (!opened || opened !== this.#opened) return;
      // The next one first: it may be the same connection.
      const { release } = this.#opened;
      this.#stop();
      this.#open();
      release();
    });
  }

  #open() {
    let base;
    try {
      const src = this.getAttribute("src");
      base = mounted(src === null ? undefined : new URL(src, this.baseURI));
    } catch {
      console.error(`<pychat-unread>: “${this.getAttribute("src")}” is no address; write src="/chat/" or src="https://chat.example/".`);
      return;
    }
    this.#opened = acquire(base, this.#token);
    const { chat } = this.#opened;
    const stops = [chat.on("rooms", () => this.#show()), chat.on("state", (state) => this.#onState(state))];
    this.#stop = () => stops.forEach((stop) => stop());
    this.#show();
    loadWords(base, languageOf(this)).then(() => this.#opened && this.#show());
  }

  #close() {
    this.#stop?.();
    this.#opened?.release();
    this.#opened = null;
    this.#set({ messages: 0, mentions: 0 });
  }

  #onState({ name, text }) {
    if (name === "refused") console.error(`<pychat-unread>: ${text}`);
  }

  #show() {
    const { list } = this.#opened.chat;
    const name = this.getAttribute("room");
    const rooms = name === null ? list.rooms : [list.find(name)].filter(Boolean);
    const sum = (what) => rooms.reduce((total, room) => total + room[what], 0);
    this.#set({ messages: sum("messages"), mentions: sum("mentions") });
  }

  #set(counts) {
    const changed = counts.messages !== this.counts.messages || counts.mentions !== this.counts.mentions;
    this.counts = counts;
    const onlyMentions = this.hasAttribute("mentions");
    const count = onlyMentions ? counts.mentions : counts.messages;
    this.#badge.hidden = !count;
    this.#badge.textContent = count > MAX_COUNT ? `${MAX_COUNT}+` : String(count || "");
    this.#badge.setAttribute("aria-label", t(onlyMentions ? "unread.mentions" : "unread.messages", { count }));
    if (changed) this.dispatchEvent(new CustomEvent("unread", { detail: counts }));
  }
}

reflect(PychatUnread, ATTRIBUTES.slice(0, 3));
Object.defineProperty(PychatUnread.prototype, "mentions", {
  configurable: true,
  enumerable: true,
  get() {
    return this.hasAttribute("mentions");
  },
  set(on) {
    this.toggleAttribute("mentions", !!on);
  },
});

// The script of another pychat server may have defined it already.
if (!customElements.get("pychat-unread")) customElements.define("pychat-unread", PychatUnread);
