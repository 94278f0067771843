/** The room's title: the server may not have written it into the markup, and titles differ between people. */

import { write } from "./template-refs.js";

/** @param {import("./template-refs.js").TemplateRefs} refs @param {string} title */
export function showTitle(refs, title) {
  write(refs.find("title", "h1"), title);
  write(refs.find("origin-title", "bdi"), title);
}
