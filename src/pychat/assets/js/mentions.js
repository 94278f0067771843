/** Mentions in texts: `@Ada`. The server finds them; this finds where they stand, and what somebody begins to type. Pure. */

/** @typedef {import("./log.js").Member} Member */

/** The word that mentions everyone who is here. */
export const HERE = "here";

const WORD = /[\p{L}\p{M}\p{N}_]/u;

/**
 * Splits a text at the mentions of these names. Joined, the pieces give the text again.
 * @param {string} text
 * @param {string[]} names
 * @returns {{text: string, name?: string}[]} pieces with `name` are mentions
 */
export function mentionPieces(text, names) {
  if (!names.length || !text.includes("@")) return [{ text }];
  const longest = [...names].sort((a, b) => b.length - a.length).map((name) => name.replaceAll(/[$()*+./?[\\\]^{|}-]/g, "\\$&"));
  const found = [];
  let done = 0;
  for (const { 0: match, index } of text.matchAll(new RegExp(`@(?:${longest.join("|")})`, "giu"))) {
    const end = index + match.length;
    if (isInWord(text, index - 1) || (isInWord(text, end - 1) && isInWord(text, end))) continue;
    if (index > done) found.push({ text: text.slice(done, index) });
    found.push({ text: match, name: match.slice(1) });
    done = end;
  }
  if (done < text.length) found.push({ text: text.slice(done) });
  return found;
}

/**
 * What is being typed after an `@`.
 * @param {string} text @param {number} caret
 * @param {number} longest characters of a name
 * @returns {{start: number, query: string} | undefined} `start` is the index of the `@`
 */
export function beginning(text, caret, longest) {
  const start = text.lastIndexOf("@", caret - 1);
  if (start < 0 || isInWord(text, start - 1)) return undefined;
  const query = text.slice(start + 1, caret);
  if (query.length > longest || /^\s|\n|\s\s/.test(query)) return undefined;
  return { start, query };
}

/**
 * The members whom a query can mean: those whose name begins with it, then those with a word that does.
 * @param {Member[]} members @param {string} query @param {number} limit
 * @returns {Member[]}
 */
export function matching(members, query, limit) {
  const wanted = query.toLocaleLowerCase();
  const rank = ({ name }) => {
    const lower = name.toLocaleLowerCase();
    if (lower.startsWith(wanted)) return 0;
    return lower.split(/[\s_.-]+/u).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  return members
    .map((member) => ({ member, rank: rank(member) }))
    .filter((one) => one.rank < 2)
    .sort((a, b) => a.rank - b.rank || a.member.name.localeCompare(b.member.name))
    .slice(0, limit)
    .map(({ member }) => member);
}

function isInWord(text, index) {
  return index >= 0 && index < text.length && WORD.test(text[index]);
}
