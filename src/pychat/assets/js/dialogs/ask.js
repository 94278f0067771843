/** Asks for something in a card over the frame, and stays open with the reason if it is refused. */

import { dialogOpener } from "../view/dialog-position.js";
import { make } from "../view/elements.js";
import { hasKeys, write } from "../view/template-refs.js";
import { refusalText, t } from "../words.js";

let count = 0;

/**
 * @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {object} question
 * @param {(Node | string)[]} question.title
 * @param {(Node | string)[]} [question.lead] a sentence below the title
 * @param {(HTMLElement | undefined)[]} [question.fields]
 * @param {string} question.button what the button says
 * @param {boolean} [question.danger] whether it takes something away
 * @param {() => Promise<unknown>} question.run called with the button; a refusal is shown
 * @param {() => HTMLElement | undefined} [question.back] what is focused afterwards if the element that was is gone
 */
export function ask(refs, { title, lead, fields = [], button, danger = false, run, back = () => refs.find("text", "textarea") }) {
  const id = `pychat-ask-${(count += 1)}`;
  const error = make("p", { class: "error", role: "alert", id: `${id}-error`, hidden: true });
  const yes = make("button", { class: `button ${danger ? "danger" : "primary"}`, type: "submit" }, button);
  const form = make(
    "form",
    { class: "ask", method: "dialog" },
    // On a phone, a field that has the focus opens the keyboard over the question.
    make("h2", { id, tabindex: "-1", autofocus: !hasKeys() }, ...title),
    lead && make("p", { class: "hint" }, ...lead),
    ...fields,
    error,
    make("div", { class: "row end" }, make("button", { class: "button", type: "button", click: () => dialog.close() }, t("common.cancel")), yes),
  );
  const closed = new AbortController();
  const dialog = make("dialog", { class: "card", part: "dialog", "aria-labelledby": id }, form);

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (yes.disabled) return;
    yes.disabled = true;
    error.hidden = true;
    try {
      await run();
      dialog.close();
    } catch (refusal) {
      write(error, refusalText(refusal) || String(refusal));
      error.hidden = false;
      yes.disabled = false;
      // The keyboard of a phone would cover the reason.
      if (hasKeys()) (form.querySelector("input, textarea") ?? yes).focus();
    }
  });
  closeOutside(dialog);
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
    if (!refs.active && hasKeys()) back()?.focus();
  });
  refs.frame.append(dialog);
  refs.signal?.addEventListener("abort", () => closed.abort(), { signal: closed.signal });
  dialogOpener(dialog, closed)();
}

/** Closes a dialog by a press outside of it. A press that begins in the dialog, such as a selection, is none. @param {HTMLDialogElement} dialog */
export function closeOutside(dialog) {
  dialog.addEventListener("pointerdown", ({ target, clientX, clientY }) => {
    if (target !== dialog) return;
    const { left, right, top, bottom } = dialog.getBoundingClientRect();
    if (clientX < left || clientX > right || clientY < top || clientY > bottom) dialog.close();
  });
}
