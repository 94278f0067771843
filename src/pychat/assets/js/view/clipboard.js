/** Copies the text of a field. */

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
