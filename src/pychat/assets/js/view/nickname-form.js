/** What stands below the messages: the message box, the question for a nickname, or that the user can only read. */

import { initials } from "../colour.js";
import { patiently } from "../retry.js";
import { browserStorage } from "../storage.js";
import { refusalText, t } from "../words.js";
import { dialogOpener } from "./dialog-position.js";
import { silenceText } from "./silence.js";
import { write } from "./template-refs.js";

/** Storage key of the last name in any room; the form suggests it. */
export const LAST_NAME = "pychat:last-name";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {{prepare(): void, setVisible(on: boolean): void, focus(): void}} composer
 */
export function nicknameForm(room, refs, composer) {
  const storage = browserStorage();
  const form = refs.find("nickname-form", "form");
  const first = new NameField(room, refs, { form, input: "name-input", button: "name-button", error: "name-error" });
  const dialog = refs.find("rename-dialog", "dialog");
  const second = new NameField(room, refs, { form: refs.find("rename", "form"), input: "rename-input", button: "rename-button", error: "rename-error" });
  const open = dialogOpener(dialog, refs);
  const me = refs.find("me-button", "button");
  const readOnly = refs.find("read-only");
  const hint = refs.find("me-hint");
  const emptyTexts = { read: refs.find("empty-read"), write: refs.find("empty-write") };
  const avatar = refs.find("me-avatar");

  function show() {
    // After a refusal there is no message box: nothing would be sent.
    const known = room.state.name === "refused" ? null : room.me;
    // The form appears after the first welcome.
    const reader = !room.may("write");
    form.hidden = !!known || reader || !room.about || room.arriving || room.state.name === "refused";
    readOnly.hidden = !reader || !room.about || room.state.name === "refused";
    write(refs.find("read-only-text", "span"), silenceText(room, new Date()));
    emptyTexts.read.hidden = !reader;
    emptyTexts.write.hidden = reader;
    composer.setVisible(!!known && !reader);
    me.hidden = !known;
    if (known) {
      if (!room.you) storage.setItem(LAST_NAME, known.name);
      write(refs.find("me-name"), known.name);
      write(avatar, initials(known.name));
      avatar.style.setProperty("--hue", room.people.hueOf(known.id));
      me.disabled = !!room.you?.name_fixed;
      hint.hidden = me.disabled;
      me.title = me.disabled ? known.name : t("rename.button");
    }
  }

  room.on("me", show);
  room.on("people", () => room.me && avatar.style.setProperty("--hue", room.people.hueOf(room.me.id)));
  room.on("state", show);
  room.on("access", show);
  room.on("room", show);
  room.on("welcome", () => {
    const asked = form.hidden && !room.me;
    if (asked) first.suggest(storage.getItem(LAST_NAME));
    show();
    if (asked && !form.hidden && refs.mayFocus) first.focus();
  });
  room.on("ask", (refusal) => {
    show();
    form.hidden = !!room.me || !room.may("write");
    first.complain(refusal, "ask");
    if (refs.mayFocus) first.focus();
  });
  // Whoever has a name or types one writes soon.
  if (storage.getItem(LAST_NAME)) composer.prepare();
  refs.find("name-input", "input").addEventListener("input", () => composer.prepare(), { once: true });
  first.suggest(storage.getItem(LAST_NAME));
  first.done = () => composer.focus();

  me.addEventListener("click", () => {
    second.value = room.me?.name ?? "";
    open();
    second.select();
  });
  refs.find("rename-cancel", "button").addEventListener("click", () => dialog.close());
  // A click outside the card targets the dialog itself.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  second.done = () => dialog.close();
  show();
}

/** An input for a name with its button and error text. */
class NameField {
  done = () => {};
  #room;
  #input;
  #button;
  #error;
  #busy = false;

  constructor(room, refs, { form, input, button, error }) {
    this.#room = room;
    this.#input = refs.find(input, "input");
    this.#button = refs.find(button, "button");
    this.#error = refs.find(error);
    this.#input.addEventListener("input", () => {
      this.#clearError();
      this.#show();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
    });
    room.on("state", () => this.#show());
    this.#show();
  }

  set value(name) {
    this.#input.value = name;
    this.#clearError();
    this.#show();
  }

  /** Fills the field if it is empty. @param {string | null} name */
  suggest(name) {
    if (name && !this.#input.value) this.value = name;
  }

  focus() {
    this.#input.focus();
  }

  select() {
    this.#input.select();
  }

  /** @param {import("../refusal.js").Refusal} refusal */
  complain(refusal) {
    write(this.#error, refusalText(refusal));
    this.#error.hidden = false;
    this.#input.setAttribute("aria-invalid", "true");
  }

  #clearError() {
    this.#error.hidden = true;
    this.#input.removeAttribute("aria-invalid");
  }

  #show() {
    this.#button.disabled = this.#busy || !this.#input.value.trim() || this.#room.state.name !== "live";
  }

  async #take() {
    const name = this.#input.value.trim();
    if (this.#button.disabled) return;
    if (name === this.#room.me?.name) return this.done();
    this.#busy = true;
    this.#clearError();
    this.#show();
    try {
      await patiently(globalThis, () => this.#room.join(name));
      this.done();
    } catch (refusal) {
      this.complain(refusal);
      this.focus();
      this.select();
    } finally {
      this.#busy = false;
      this.#show();
    }
  }
}
