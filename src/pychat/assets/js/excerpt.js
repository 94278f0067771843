/** The part of a text that contains the words of a search. Pure. */

/** Characters: about two lines. */
const LENGTH = 160;
/** Characters before the first match. */
const LEAD = 40;

/**
 * @param {string} text
 * @param {string} words separated by white space, in any case
 * @returns {{text: string, found: boolean}[]} pieces in order; `found` marks the words of the search
 */
export function excerpt(text, words) {
  const line = text.replaceAll(/\s+/g, " ").trim();
  const wanted = words.split(/\s+/).filter(Boolean).sort((a, b) => b.length - a.length);
  const pattern = wanted.map((word) => word.replaceAll(/[$()*+./?[\\\]^{|}]/g, "\\$&")).join("|");
  const hits = pattern ? [...line.matchAll(new RegExp(pattern, "giu"))] : [];
  let start = hits.length && hits[0].index > LEAD ? hits[0].index - LEAD : 0;
  // Start at a word, never inside a surrogate pair.
  if (start) start = line.lastIndexOf(" ", start + 12) > start - 12 ? line.lastIndexOf(" ", start + 12) + 1 : start + (isTrail(line, start) ? 1 : 0);
  if (hits.length && start > hits[0].index) start = hits[0].index;
  let end = Math.min(line.length, start + LENGTH);
  if (isTrail(line, end)) end += 1;
  // The word joiner keeps the ellipsis in the line of the word that it stands before.
  const pieces = start ? [{ text: "…\u2060", found: false }] : [];
  let at = start;
  for (const { index, 0: word } of hits) {
    if (index < at || index >= end) continue;
    if (index > at) pieces.push({ text: line.slice(at, index), found: false });
    pieces.push({ text: word, found: true });
    at = index + word.length;
  }
  if (at < end) pieces.push({ text: line.slice(at, end), found: false });
  if (Math.max(at, end) < line.length) pieces.push({ text: "…", found: false });
  return pieces;
}

/** Whether a cut here would split a surrogate pair. */
function isTrail(line, at) {
  return (line.charCodeAt(at) & 0xfc00) === 0xdc00;
}
