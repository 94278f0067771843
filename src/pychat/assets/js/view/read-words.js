/** The words of the interface, as the server wrote them into the markup. */

import { useWords } from "../words.js";

/** @param {ParentNode} markup the page, or what the element was given @param {URL} base of the mount */
export function readWords(markup, base) {
  const found = markup.querySelector("[data-pychat-words]");
  if (!found) return;
  const catalogue = JSON.parse(found.textContent);
  useWords(catalogue, new URL(catalogue.more, base));
}
