/** Finds the URLs in a text. Pure; `writing/render.js` makes nodes of them. */

// No white space, quotes, angle brackets or bidi controls: the URL that is shown is the one that opens.
// The end of `[text](address)` is no part of the text.
const REST = String.raw`(?:(?!\]\()[^\s<>"'\x60\u2018-\u201f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])`;
// A domain is tried only where a word begins, so each character is looked at a few times at most.
const DOMAIN = String.raw`(?<![\p{L}\p{M}\p{N}_@./\\:~+-])(?:[\p{L}\p{M}\p{N}-]+\.)+[a-z]{2,}(?![\p{L}\p{M}\p{N}_@-])(?::\d{1,5}(?!\d))?(?:[/?#]${REST}*)?`;

/** What may be a URL; `linkOf` decides. The flags are `iu`. */
export const LINK = String.raw`(?<![\p{L}\p{M}\p{N}])https?://${REST}+|${DOMAIN}`;

const EVERY = new RegExp(LINK, "giu");
const SCHEME = /^https?:\/\//iu;
const TRAILING = /[.,;:!?*_~…]/u;
const PAIRS = { ")": "(", "]": "[", "}": "{" };

/** Top-level domains after which a bare domain is a link. Those that are also words or endings of files need `www.` or a path. */
const DOMAINS = new Set(
  (
    "com net org edu gov int info biz io dev app ai tv xyz online site shop blog cloud tech news wiki eu " +
    "ae ar au bg br ca ch cl cn cz de dk ee es fi fr gr hk hr hu id ie il ir jp ke kr lt lu lv ma mx ng nl nz pe ph pk pt ro rs ru se sg si sk th tr tw ua uk vn za"
  ).split(" "),
);
const WITH_PATH = new Set("am as at be cc co do hm in is it li me ml my no nu pl py sh so to us ws".split(" "));
const FILES = new Set(["rs", "si", "id"]);

/**
 * Splits a text into pieces; those with `href` are http(s) URLs. Joined, the pieces give the text again.
 * @param {string} text
 * @returns {{text: string, href?: string}[]}
 */
export function pieces(text) {
  const found = [];
  let done = 0;
  for (const { 0: match, index } of text.matchAll(EVERY)) {
    const link = linkOf(match);
    if (!link) continue;
    if (index > done) found.push({ text: text.slice(done, index) });
    found.push(link);
    done = index + link.text.length;
  }
  if (done < text.length) found.push({ text: text.slice(done) });
  return found;
}

/**
 * The URL at the beginning of a match of `LINK`.
 * @param {string} match
 * @returns {{text: string, href: string} | undefined}
 */
export function linkOf(match) {
  const text = trimmed(match);
  const href = SCHEME.test(text) ? safe(text, "http:", "https:") : isDomain(text) ? safe(`https://${text}`, "https:") : undefined;
  return href && { text, href };
}

/** The URL in its normal form, if it has one of these schemes and no password. @param {string} text @param {...string} schemes such as `https:` @returns {string | undefined} */
export function safe(text, ...schemes) {
  try {
    const { protocol, hostname, username, password, href } = new URL(text);
    if (!schemes.includes(protocol) || username || password) return undefined;
    return hostname || protocol === "mailto:" ? href : undefined;
  } catch {
    return undefined;
  }
}

function isDomain(text) {
  const [host, ...path] = text.split(/(?=[/?#:])/u);
  const labels = host.split(".");
  const last = labels.at(-1).toLowerCase();
  const clear = labels[0].toLowerCase() === "www" || path.length > 0;
  return labels.length > 1 && (clear ? DOMAINS.has(last) || WITH_PATH.has(last) || labels.length > 2 : DOMAINS.has(last) && !FILES.has(last));
}

/** Removes punctuation that belongs to the sentence: "(see http://a.b/c)." */
function trimmed(address) {
  const surplus = Object.fromEntries(Object.entries(PAIRS).map(([closing, opening]) => [closing, count(address, closing) - count(address, opening)]));
  let end = address.length;
  for (; end > 0; end -= 1) {
    const last = address[end - 1];
    if (surplus[last] > 0) surplus[last] -= 1;
    else if (!TRAILING.test(last)) break;
  }
  return address.slice(0, end);
}

const count = (text, character) => text.split(character).length - 1;
