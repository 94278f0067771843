/** Copies texts. */

/** @param {string} text @param {HTMLElement} home an element of the view that may hold a field for a moment */
export async function copy(text, home) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const { activeElement } = home.getRootNode();
    const field = document.createElement("textarea");
    field.className = "hidden";
    field.value = text;
    home.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
    activeElement?.focus({ preventScroll: true });
  }
}

import { t } from "../words.js";

/** @param {HTMLInputElement} field @param {HTMLButtonElement} button says that it is done */
export async function copyText(field, button) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    // The clipboard API works on https and localhost only; this works on the local network, too.
    field.select();
    document.execCommand("copy");
    button.focus();
  }
  button.textContent = t("share.copied");
  setTimeout(() => (button.textContent = label === t("share.copied") ? t("share.copy") : label), 2000);
}
