/** Splits a long text into messages: where a paragraph ends, else a line, else a word. Pure. */

/**
 * @param {string} text
 * @param {number} limit characters of a message, as people count them
 * @returns {string[]}
 */
export function split(text, limit) {
  const found = [];
  let rest = [...text];
  while (rest.length > limit) {
    const end = endOf(rest, limit);
    found.push(rest.slice(0, end).join("").trimEnd());
    rest = [...rest.slice(end).join("").replace(/^\s*\n|^ /, "")];
  }
  found.push(rest.join(""));
  return found.filter((one) => one.trim());
}

/** Where the first message ends: not before the half of it, unless there is nothing to end at. */
function endOf(characters, limit) {
  const head = characters.slice(0, limit + 1).join("");
  for (const separator of ["\n\n", "\n", ". ", " "]) {
    const at = head.lastIndexOf(separator);
    if (at >= 0 && [...head.slice(0, at)].length > limit / 2) return [...head.slice(0, at + separator.trimEnd().length)].length || limit;
  }
  return limit;
}
