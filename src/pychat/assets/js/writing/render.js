/** Turns a text into nodes: Markdown, links, and marks on the names that it mentions. Texts of users become text nodes, never markup. */

import { make } from "../view/elements.js";
import { codeBlock } from "./code-block.js";
import { parse } from "./markdown.js";

/**
 * A text without markup becomes a single text node.
 * @param {string} text
 * @param {object} [options]
 * @param {string[]} [options.names] to mark where the text mentions them
 * @param {string[]} [options.mine] those of them, in lower case, that mean the user
 * @param {boolean} [options.plain] whether only links and mentions are shown, no Markdown
 * @returns {Node[]}
 */
export function renderText(text, { names = [], mine = [], plain = false } = {}) {
  return blocks(parse(text, { names, plain }), mine);
}

const blocks = (nodes, mine) => nodes.flatMap((node) => BLOCKS[node.type](node, mine));
const inline = (nodes, mine) => nodes.map((node) => INLINE[node.type](node, mine));

const BLOCKS = {
  // The style keeps line breaks, so a paragraph needs no element.
  paragraph: ({ children }, mine) => inline(children, mine),
  fence: ({ text, language }) => codeBlock(text, language),
  quote: ({ children }, mine) => make("blockquote", {}, ...blocks(children, mine)),
  list: ({ ordered, items }, mine) => make(ordered ? "ol" : "ul", {}, ...items.map(({ value, children }) => make("li", { value, dir: "auto" }, ...blocks(children, mine)))),
};

const INLINE = {
  text: ({ text }) => document.createTextNode(text),
  code: ({ text }) => make("code", { dir: "ltr" }, text),
  mention: ({ text, name }, mine) => make("span", { class: mine.includes(name.toLowerCase()) ? "mention mine" : "mention" }, text),
  link: ({ href, bare, children }, mine) => make("a", { href, title: bare ? undefined : href, rel: "noopener noreferrer nofollow", target: "_blank" }, ...inline(children, mine)),
  strong: ({ children }, mine) => make("strong", {}, ...inline(children, mine)),
  em: ({ children }, mine) => make("em", {}, ...inline(children, mine)),
  strike: ({ children }, mine) => make("s", {}, ...inline(children, mine)),
};
