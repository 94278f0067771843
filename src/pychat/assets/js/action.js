/** Action messages: `/me waves`. Pure. */

const ME = "/me ";

/**
 * The action in a text; empty if the text is no action message.
 * @param {string} text
 * @returns {string}
 */
export function action(text) {
  return text.startsWith(ME) && !text.includes("\n") ? text.slice(ME.length).trimStart() : "";
}
