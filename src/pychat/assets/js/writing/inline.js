/** Parses what stands within a paragraph: emphasis, code, links, mentions. Part of markdown.js; pure, in linear time. */

import { LINK, linkOf, pieces, safe } from "../links.js";
import { mentionPieces } from "../mentions.js";

/**
 * @typedef {{type: "text", text: string}} Text
 * @typedef {{type: "code", text: string}} Code
 * @typedef {{type: "mention", text: string, name: string}} Mention
 * @typedef {{type: "link", href: string, bare: boolean, children: Inline[]}} Link `bare` if the URL itself was written
 * @typedef {{type: "strong" | "em" | "strike", children: Inline[]}} Emphasis
 * @typedef {Text | Code | Mention | Link | Emphasis} Inline
 */

/** Levels of emphasis within each other. More stays text. */
const MAX_DEPTH = 4;
const EMPHASIS = { "*": "em", "**": "strong", _: "em", "~~": "strike" };

// Beside a mark stands white space, a bracket, a quotation mark, another mark, an emoji, or a script without spaces.
const OTHERS = String.raw`*_~|—–/\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65\p{Extended_Pictographic}\ufe0f`;
const BEFORE = new RegExp(String.raw`[\s([{"'“‘«„¿¡${OTHERS}]`, "u");
const BEHIND = new RegExp(String.raw`[\s)\]}"'”’».,;:!?…${OTHERS}]`, "u");
const WORD = /[\p{L}\p{N}\p{Extended_Pictographic}]/u;

const TOKEN = new RegExp(String.raw`\x60+|¯\\_|\\[*_~\x60]|\*+|_+|~+|\[|\]|@|${LINK}`, "giu");
const PLAIN_TOKEN = new RegExp(`@|${LINK}`, "giu");
/** The address in `[text](address)`, with one level of brackets. */
const TARGET = /\(\s?((?:[^\s()]|\([^\s()]*\))+)\s?\)/y;

/**
 * @param {string} text
 * @param {string[]} names whose mentions are marked
 * @param {boolean} plain only links and mentions, no Markdown
 * @returns {Inline[]}
 */
export function inline(text, names, plain) {
  return new Parser(text, names).parse(new RegExp(plain ? PLAIN_TOKEN : TOKEN));
}

/** A mark that may begin something is a text in `out`; so it stays what it is if nothing ends it. */
class Parser {
  #text;
  /** @type {Inline[]} */
  #out = [];
  /** What is in `out` ends here. */
  #done = 0;
  /** The last word ends here: emphasis and links have words. */
  #word = -1;
  #links = 0;
  /** Marks that may begin emphasis: `index` in `out`, `end` in the text, and the levels of emphasis behind it. */
  #openers = [];
  /** How many openers there are of each mark. */
  #waiting = new Map();
  /** Each `[` that may begin a link. */
  #brackets = [];
  #mentions;
  #codes;

  constructor(text, names) {
    this.#text = text;
    this.#mentions = mentionsIn(text, names);
  }

  parse(token) {
    for (let match; (match = token.exec(this.#text)); ) {
      const { 0: found, index: at } = match;
      const end = at + found.length;
      if (found[0] === "`") this.#code(at, end);
      else if (found[0] === "\\") this.#escape(at, end);
      else if ("*_~".includes(found[0])) this.#emphasis(found, at, end);
      else if (found === "[") this.#bracket(at, end);
      else if (found === "]") this.#link(at, end);
      else if (found === "@") this.#mention(at);
      else if (found[0] !== "¯") this.#address(found, at);
      // More or less may be done than was found: the address of a link, the end of the sentence behind an address.
      token.lastIndex = this.#done > at ? this.#done : end;
    }
    this.#write(this.#text.length);
    return joined(this.#out);
  }

  #put(node, end) {
    this.#out.push(node);
    this.#done = end;
  }

  /** Puts the text up to an index that no token has taken. */
  #write(end) {
    const text = this.#text.slice(this.#done, end);
    if (!text) return;
    if (WORD.test(text)) this.#word = end;
    this.#put({ type: "text", text }, end);
  }

  #putText(text, end) {
    this.#put({ type: "text", text }, end);
  }

  /** Puts something that counts as a word. */
  #putWord(node, end) {
    this.#put(node, end);
    this.#word = end;
  }

  #code(at, end) {
    this.#codes ??= codesIn(this.#text);
    const close = this.#codes(end, end - at);
    this.#write(at);
    if (close === undefined) this.#putText(this.#text.slice(at, end), end);
    else this.#putWord({ type: "code", text: unspaced(this.#text.slice(end, close)) }, close + end - at);
  }

  #escape(at, end) {
    this.#write(at);
    this.#putText(this.#text[end - 1], end);
  }

  #mention(at) {
    const mention = this.#mentions.get(at);
    if (!mention) return;
    this.#write(at);
    this.#putWord({ type: "mention", ...mention }, at + mention.text.length);
  }

  #address(found, at) {
    const link = linkOf(found);
    if (!link) return;
    this.#write(at);
    this.#links += 1;
    this.#putWord({ type: "link", href: link.href, bare: true, children: [{ type: "text", text: link.text }] }, at + link.text.length);
  }

  #bracket(at, end) {
    this.#write(at);
    this.#brackets.push({ index: this.#out.length, end, links: this.#links });
    this.#putText("[", end);
  }

  /** Ends `[text](address)`. A text with an address in it is no link: it could tell another address than it opens. */
  #link(at, end) {
    this.#write(at);
    const bracket = this.#brackets.pop();
    const may = bracket && this.#word > bracket.end && bracket.links === this.#links;
    TARGET.lastIndex = end;
    const target = may ? TARGET.exec(this.#text)?.[1] : undefined;
    const href = target && safe(target, "http:", "https:", "mailto:");
    if (!href) return this.#putText("]", end);
    this.#links += 1; // also if it is none: no `[` before this one makes a link of its text
    if (looksLikeAddress(shown(this.#out.slice(bracket.index + 1)))) return this.#putText("]", end);
    this.#wrap(bracket.index, { type: "link", href, bare: false }, TARGET.lastIndex);
    this.#brackets.length = 0;
  }

  #emphasis(run, at, end) {
    this.#write(at);
    const before = [...this.#text.slice(Math.max(0, at - 2), at)].at(-1) ?? " ";
    const [behind = " "] = this.#text.slice(end, end + 2);
    const marks = run === "***" ? ["*", "**"] : run in EMPHASIS ? [run] : [];
    let left = run;
    if (before.trim() && BEHIND.test(behind)) {
      const order = this.#openers.at(-1)?.mark === "**" ? marks.toReversed() : marks;
      for (const mark of order) if (this.#close(mark, end)) left = left.slice(mark.length);
    }
    if (!left) return;
    if (left === run && marks.length && behind.trim() && BEFORE.test(before)) for (const mark of marks.toReversed()) this.#open(mark, end);
    else this.#putText(left, end);
  }

  #open(mark, end) {
    this.#openers.push({ mark, index: this.#out.length, end, depth: 0 });
    this.#waiting.set(mark, (this.#waiting.get(mark) ?? 0) + 1);
    this.#putText(mark, end);
  }

  /** Ends the emphasis that began with this mark. @returns {boolean} whether there was any */
  #close(mark, end) {
    if (!this.#waiting.get(mark)) return false;
    while (this.#openers.at(-1).mark !== mark) this.#forgetOpener();
    const opener = this.#openers.at(-1);
    const depth = opener.depth + 1;
    if (this.#word <= opener.end || depth > MAX_DEPTH) {
      this.#forgetOpener();
      return false;
    }
    this.#wrap(opener.index, { type: EMPHASIS[mark] }, end);
    const outer = this.#openers.at(-1);
    if (outer) outer.depth = Math.max(outer.depth, depth);
    return true;
  }

  #forgetOpener() {
    const { mark, depth } = this.#openers.pop();
    this.#waiting.set(mark, this.#waiting.get(mark) - 1);
    const outer = this.#openers.at(-1);
    if (outer) outer.depth = Math.max(outer.depth, depth);
  }

  /** Makes one node of all from a mark on. */
  #wrap(index, node, end) {
    const children = joined(this.#out.splice(index).slice(1));
    while (this.#openers.at(-1)?.index >= index) this.#forgetOpener();
    while (this.#brackets.at(-1)?.index >= index) this.#brackets.pop();
    this.#putWord({ ...node, children }, end);
  }
}

/** The text that people see. */
function shown(nodes) {
  return nodes.map(({ text, children }) => text ?? shown(children)).join("");
}

/** Whether people may take a text for an address, also in marks, with invisible characters or with dots of other scripts. */
function looksLikeAddress(text) {
  const seen = text.normalize("NFKC").replaceAll(/[\p{Cf}\p{Mn}\p{Me}]/gu, "").replaceAll("。", ".").replaceAll(/[@_]/g, " ");
  return pieces(seen).some(({ href }) => href);
}

/** Joins texts that stand beside each other. */
function joined(nodes) {
  const found = [];
  let texts = [];
  const end = () => {
    if (texts.length) found.push({ type: "text", text: texts.join("") });
    texts = [];
  };
  for (const node of nodes) {
    if (node.type === "text") texts.push(node.text);
    else end(), found.push(node);
  }
  end();
  return found;
}

/** The mentions by their index. */
function mentionsIn(text, names) {
  const found = new Map();
  let at = 0;
  for (const piece of mentionPieces(text, names)) {
    if (piece.name !== undefined) found.set(at, piece);
    at += piece.text.length;
  }
  return found;
}

/** Returns a function that finds the next run of that many backticks. It is asked for ever later ones. */
function codesIn(text) {
  const runs = new Map();
  for (const { 0: run, index } of text.matchAll(/`+/g)) {
    if (!runs.has(run.length)) runs.set(run.length, { indices: [], next: 0 });
    runs.get(run.length).indices.push(index);
  }
  return (from, length) => {
    const found = runs.get(length);
    if (!found) return undefined;
    while (found.indices[found.next] < from) found.next += 1;
    return found.indices[found.next];
  };
}

/** Code that begins or ends with a backtick is written with spaces around it. */
function unspaced(code) {
  return code.startsWith(" ") && code.endsWith(" ") && code.trim() ? code.slice(1, -1) : code;
}
