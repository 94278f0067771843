/** Texts that tell what their author does: `/me waves`. Pure. */

const ME = "/me ";

/**
 * What the author does; empty for a text that only says something.
 * @param {string} text
 * @returns {string}
 */
export function action(text) {
  return text.startsWith(ME) && !text.includes("\n") ? text.slice(ME.length).trimStart() : "";
}
