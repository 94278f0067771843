/** One room on the page: its markup with its views. It keeps them while another room is shown. */

import { Entrance } from "../entrance.js";
import { titleOf } from "../room-list.js";
import { showTitle } from "../view/heading.js";
import { TemplateRefs } from "../view/template-refs.js";
import { view } from "../view/view.js";
import { share } from "./share.js";

export class Pane {
  #chat;
  #firstTitle;
  #lifetime = new AbortController();
  #views;

  /**
   * @param {object} options
   * @param {string} options.name of the room
   * @param {HTMLElement} options.element in the document
   * @param {import("../chat.js").Chat} options.chat
   * @param {URL} options.base of the mount
   * @param {string} options.address of the room
   * @param {string} [options.title] as the server wrote it into the page
   * @param {(member: import("../log.js").Member) => void} options.write opens the direct room with a person
   */
  constructor({ name, element, chat, base, address, title, write }) {
    this.name = name;
    this.element = element;
    this.#chat = chat;
    this.#firstTitle = title;
    this.room = chat.enter(name);
    this.refs = new TemplateRefs(element, { key: new URL(address).pathname, address, signal: this.#lifetime.signal, wholePage: true });
    share(this.room, this.refs, address);
    this.entrance = new Entrance({ base, room: name, token: () => chat.token, become: (token) => chat.become(token) });
    this.#views = view(this.room, this.refs, this.entrance, { chat, name, write });
    for (const event of ["welcome", "room"]) this.room.on(event, () => this.showTitle());
    this.#lifetime.signal.addEventListener("abort", chat.on("blocked", () => this.#views.refresh()));
  }

  /** @returns {string} */
  get title() {
    return titleOf(this.#chat.list.find(this.name) ?? this.room.about ?? { name: this.name, title: this.#firstTitle }, this.#chat.id);
  }

  /** Until the server tells the title. @param {string} title */
  entitle(title) {
    this.#firstTitle = title;
    this.showTitle();
  }

  /** Whether the room can be forgotten: nothing of it waits to be sent. */
  get idle() {
    return this.room.log.entries.every(({ state }) => state !== "pending");
  }

  /** The user comes back to the room. */
  show() {
    this.showTitle();
    this.#views.placeNewLine();
    if (this.refs.mayFocus) this.#views.focus();
  }

  /** Takes over what was written for this room before it was open. @param {import("../view/composer.js").Words} words */
  take(words) {
    this.#views.take(words);
  }

  showTitle() {
    showTitle(this.refs, this.title);
  }

  /** Leaves the room. */
  close() {
    this.#lifetime.abort();
    this.room.close();
    this.element.remove();
  }
}
