/** The form in an empty room that copies the room's address. */

import { copyText } from "../view/clipboard.js";

/**
 * @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {string} href of the room
 */
export function share(room, refs, href) {
  const form = refs.find("share", "form");
  const field = refs.find("share-address", "input");
  const button = refs.find("share-button", "button");
  const address = new URL(href);
  field.value = address.href;
  const here = /^(localhost|127\.|\[::1\]|0\.0\.0\.0)/.test(address.hostname);
  room.on("welcome", () => {
    // Users with a login cannot invite others by an address.
    form.hidden = refs.find("share-words").hidden = !!room.you;
    refs.find("share-hello").hidden = !room.you;
    refs.find("share-note").hidden = !here || !!room.you;
  });
  field.addEventListener("focus", () => field.select());
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    copyText(field, button);
  });
}
