/** The words of the interface, as the server wrote them into the markup. */

import { useWords } from "../words.js";

/** @param {ParentNode} markup the page, or what the element was given */
export function readWords(markup) {
  const found = markup.querySelector("[data-pychat-words]");
  if (found) useWords(JSON.parse(found.textContent));
}
