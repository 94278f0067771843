/** Opens the search dialog. What it finds is loaded then; what is typed meanwhile is searched for. */

import { later } from "../later.js";
import { t } from "../words.js";
import { dialogOpener } from "./dialog-position.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(seq: number, before?: () => void) => Promise<boolean>} reveal
 */
export function search(room, refs, reveal) {
  const button = refs.find("search-button", "button");
  const dialog = refs.find("finder", "dialog");
  const openDialog = dialogOpener(dialog, refs);
  const load = later(async () => (await import("./finder.js")).finder(room, refs, reveal));

  async function open() {
    if (dialog.open || !dialog.isConnected) return;
    openDialog();
    refs.find("finder-input", "input").select();
    try {
      (await load()).ask();
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      write(refs.find("finder-note"), t("page.not-loaded"));
    }
  }

  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  // Sent before what finds is loaded: the search begins then.
  refs.find("finder-form", "form").addEventListener("submit", (event) => event.preventDefault());
  refs.find("finder-close", "button").addEventListener("click", () => dialog.close());
  button.addEventListener("click", open);
  // On the chat page these keys work anywhere; in the element, only while it has the focus.
  refs.listen(refs.wholePage ? document : refs.root, "keydown", (event) => {
    if (!refs.root.isConnected) return;
    const typing = event.target.closest?.("input, textarea, [contenteditable]");
    const isShortcut = (event.key === "k" && (event.ctrlKey || event.metaKey)) || (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey);
    if (!isShortcut || refs.root.querySelector("dialog[open]")) return;
    event.preventDefault();
    // The host page may have its own search.
    event.stopPropagation();
    open();
  });
  for (const event of ["welcome", "state"]) room.on(event, () => (button.hidden = !room.about || room.state.name === "refused"));
}
