/** Turns a text into nodes: links, and marks on the names that it mentions. Texts of users become text nodes, never markup. */

import { pieces } from "../links.js";
import { mentionPieces } from "../mentions.js";

/**
 * @param {string} text
 * @param {object} [options]
 * @param {string[]} [options.names] to mark where the text mentions them
 * @param {string[]} [options.mine] those of them, in lower case, that mean the user
 * @param {boolean} [options.plain] whether the text has no Markdown
 * @returns {Node[]}
 */
export function renderText(text, { names = [], mine = [] } = {}) {
  return pieces(text).flatMap((piece) => (piece.href ? link(piece.href, piece.text) : marked(piece.text, names, mine)));
}

/** @param {string} href @param {...(Node | string)} children */
function link(href, ...children) {
  const made = document.createElement("a");
  made.href = href;
  made.rel = "noopener noreferrer nofollow";
  made.target = "_blank";
  made.append(...children);
  return made;
}

function marked(text, names, mine) {
  return mentionPieces(text, names).map(({ text: piece, name }) => {
    if (name === undefined) return document.createTextNode(piece);
    const mention = document.createElement("span");
    mention.className = mine.includes(name.toLowerCase()) ? "mention mine" : "mention";
    mention.textContent = piece;
    return mention;
  });
}
