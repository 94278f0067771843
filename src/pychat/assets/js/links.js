/** Finds the URLs in a text. Pure; `writing/render.js` makes text nodes and links of the pieces. */

// No white space, quotes, angle brackets or bidi controls: the URL that is shown is the one that opens.
const ADDRESS = /\bhttps?:\/\/[^\s<>"'`\u2018-\u201f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/giu;
const TRAILING = /[.,;:!?*_~…]+$/u;
const PAIRS = { ")": "(", "]": "[", "}": "{" };

/**
 * Splits a text into pieces; those with `href` are http(s) URLs. Joined, the pieces give the text again.
 * @param {string} text
 * @returns {{text: string, href?: string}[]}
 */
export function pieces(text) {
  const found = [];
  let done = 0;
  for (const { 0: match, index } of text.matchAll(ADDRESS)) {
    const address = trimmed(match);
    const href = valid(address);
    if (!href) continue;
    if (index > done) found.push({ text: text.slice(done, index) });
    found.push({ text: address, href });
    done = index + address.length;
  }
  if (done < text.length) found.push({ text: text.slice(done) });
  return found;
}

/** Removes punctuation that belongs to the sentence: "(see http://a.b/c)." */
function trimmed(address) {
  for (;;) {
    const last = address.at(-1);
    const opening = PAIRS[last];
    const unpaired = opening && count(address, last) > count(address, opening);
    const shorter = unpaired ? address.slice(0, -1) : address.replace(TRAILING, "");
    if (shorter === address) return address;
    address = shorter;
  }
}

const count = (text, character) => text.split(character).length - 1;

function valid(address) {
  try {
    const url = new URL(address);
    return /^https?:$/.test(url.protocol) && url.hostname && !url.username && !url.password ? url.href : undefined;
  } catch {
    return undefined;
  }
}
