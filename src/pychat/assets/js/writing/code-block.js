/** A block of code: its language, a button that copies it, and the code, which scrolls sideways. */

import { copy } from "../view/clipboard.js";
import { make } from "../view/elements.js";
import { t } from "../words.js";

/** Characters above which code stays without colours. */
const MAX_COLOURED = 20_000;
/** Milliseconds. */
const SHOWN = 2000;

/** @param {string} text @param {string} language as it was written; empty if it was not @returns {HTMLElement} */
export function codeBlock(text, language) {
  const code = make("code", {}, text);
  const button = make("button", { class: "code-copy", type: "button", tabindex: -1, click: copyCode }, t("writing.copy"));
  if (language && text.length <= MAX_COLOURED) colour(code, text, language);

  async function copyCode() {
    button.textContent = (await copy(text)) ? t("writing.copied") : t("writing.copy-failed");
    setTimeout(() => (button.textContent = t("writing.copy")), SHOWN);
  }

  return make(
    "div",
    { class: "code", dir: "ltr" },
    make("div", { class: "code-head" }, make("span", { class: "code-language" }, language), button),
    make("pre", { tabindex: -1, role: "region", "aria-label": language ? t("writing.code-in", { language }) : t("writing.code") }, code),
  );
}

async function colour(code, text, language) {
  try {
    const { highlight } = await import("./highlight.js");
    const nodes = highlight(text, language);
    if (nodes) code.replaceChildren(...nodes);
  } catch {
    // The code stays without colours.
  }
}
