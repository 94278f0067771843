/** The hue and initials of a member, the same in every browser. The style sheet adapts the hue to its theme. */

/** Degrees of OKLCH that the eye can distinguish; none is near the red of errors. */
const HUES = [50, 75, 105, 135, 160, 190, 215, 240, 265, 290, 315, 345];

/** @param {string} id @returns {number} */
export function hue(id) {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits: ids that differ in one character get different hues
  for (const unit of id) hash = Math.imul(hash ^ unit.codePointAt(0), 0x01000193) >>> 0;
  return HUES[((hash ^ (hash >>> 16)) >>> 0) % HUES.length];
}

const graphemes = globalThis.Intl?.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function first(word) {
  if (!graphemes) return [...word][0] ?? "";
  return graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
}

/** One or two graphemes; a family emoji counts as one. @param {string} name @returns {string} */
export function initials(name) {
  const words = name.split(/[\s_.-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => first(word.replace(/^[^\p{L}\p{N}]+/u, "")));
  if (letters.length === 0) return first(name.trim()) || "?";
  return (letters.length > 1 ? letters[0] + letters.at(-1) : letters[0]).toLocaleUpperCase();
}
