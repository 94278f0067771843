/** Copies texts. */

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

/** Copies a text. @param {string} text @returns {Promise<boolean>} whether the browser did */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    const { activeElement } = document;
    field.value = text;
    field.style.setProperty("position", "fixed");
    field.style.setProperty("opacity", "0");
    document.body.append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    activeElement?.focus();
    return done;
  }
}
