/**
 * Parses the small Markdown of messages: a text becomes a tree. Pure, and in linear time. What is not clearly markup stays
 * as it was written: `2*3*4`, `snake_case`, `^_^`, URLs.
 */

import { inline } from "./inline.js";

/**
 * @typedef {import("./inline.js").Inline} Inline
 * @typedef {{type: "paragraph", children: Inline[]}} Paragraph its text has line breaks
 * @typedef {{type: "fence", text: string, language: string}} Fence
 * @typedef {{type: "quote", children: Block[]}} Quote
 * @typedef {{type: "list", ordered: boolean, items: {value?: number, children: Block[]}[]}} List
 * @typedef {Paragraph | Fence | Quote | List} Block
 */

/** Levels of quotes and lists within each other. More stays text. */
const MAX_DEPTH = 4;

const FENCE = /^ {0,3}```([^`]*)$/;
const LANGUAGE = /^[\p{L}\p{N}_#+.-]{1,20}$/u;
const QUOTE = /^>(?: |$)/;
const ITEM = /^( *)([-*]|\d{1,9}[.)]) +(?=\S)/;

/**
 * @param {string} text
 * @param {object} [options]
 * @param {string[]} [options.names] whose mentions are marked
 * @param {boolean} [options.plain] only links and mentions, no Markdown
 * @returns {Block[]}
 */
export function parse(text, { names = [], plain = false } = {}) {
  const words = (part) => ({ type: "paragraph", children: inline(part, names, plain) });
  return plain ? [words(text)] : blocks(text.split("\n"), words, 0, false);
}

function blocks(lines, words, depth, inList) {
  const found = [];
  let from = 0;
  const lastFenced = lines.findLastIndex(endsFence);

  /** Ends the paragraph before a block. Blank lines beside a block have no meaning. */
  function end(at) {
    let [first, last] = [from, at];
    while (found.length && first < last && !lines[first].trim()) first += 1;
    while (at < lines.length && first < last && !lines[last - 1].trim()) last -= 1;
    if (first < last) found.push(words(lines.slice(first, last).join("\n")));
  }

  for (let at = 0; at < lines.length; ) {
    const block = fence(lines, at, lastFenced) ?? (depth < MAX_DEPTH ? (quote(lines, at, words, depth) ?? list(lines, at, words, depth, inList)) : undefined);
    if (block) {
      end(at);
      found.push(block.made);
      at = from = at + block.lines;
    } else at += 1;
  }
  end(lines.length);
  return found;
}

function endsFence(line) {
  return line.trimEnd().endsWith("```");
}

function fence(lines, at, lastFenced) {
  const info = FENCE.exec(lines[at])?.[1].trim();
  if (info === undefined) return undefined;
  const isLanguage = LANGUAGE.test(info);
  let close = at + 1;
  if (at >= lastFenced) {
    // A fence that nobody closed is one to the end, unless words stand behind its marks.
    if (info && !isLanguage) return undefined;
    close = lines.length;
  } else while (!endsFence(lines[close])) close += 1;
  const code = lines.slice(at + 1, close);
  if (info && !isLanguage) code.unshift(lines[at].slice(lines[at].indexOf("```") + 3));
  const last = close < lines.length ? lines[close].trimEnd().slice(0, -3) : "";
  if (last.trim()) code.push(last);
  const text = code.join("\n");
  return text.trim() ? { made: { type: "fence", text, language: isLanguage ? info.toLowerCase() : "" }, lines: Math.min(close + 1, lines.length) - at } : undefined;
}

function quote(lines, at, words, depth) {
  let end = at;
  while (end < lines.length && QUOTE.test(lines[end])) end += 1;
  const quoted = lines.slice(at, end).map((line) => line.slice(2));
  return quoted.some((line) => line.trim()) ? { made: { type: "quote", children: blocks(quoted, words, depth + 1, false) }, lines: end - at } : undefined;
}

/** A list has two items at least, unless it is in another one: a single line with a dash is a sentence with a dash. */
function list(lines, at, words, depth, inList) {
  const [, { length: indent } = "", mark = ""] = ITEM.exec(lines[at]) ?? [];
  if (!mark || indent > 3) return undefined;
  const ordered = mark.length > 1;
  const items = [];
  let end = at;
  for (; end < lines.length; end += 1) {
    const item = ITEM.exec(lines[end]);
    const inner = indentOf(lines[end]) - indent;
    if (item && inner >= 0 && inner < 2) {
      if (item[2].length > 1 !== ordered) break;
      items.push({ value: ordered ? Number.parseInt(item[2], 10) : undefined, lines: [lines[end].slice(item[0].length)] });
    } else if (inner >= 2 && lines[end].trim()) items.at(-1).lines.push(lines[end].slice(indent + Math.min(inner, ordered ? mark.length + 1 : 2)));
    else break;
  }
  if (items.length < 2 && !inList) return undefined;
  const made = items.map(({ value, lines: own }) => ({ value, children: blocks(own, words, depth + 1, true) }));
  return { made: { type: "list", ordered, items: made }, lines: end - at };
}

const indentOf = (line) => line.length - line.trimStart().length;
