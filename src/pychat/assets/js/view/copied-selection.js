/** A selection over several messages is copied as lines: “14:05 Ada: text”. */

import { time } from "../words.js";

/**
 * @param {HTMLElement} list
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(line: Element) => import("../log.js").Entry | undefined} entryOf
 */
export function copiedSelection(list, refs, entryOf) {
  refs.listen(document, "copy", (event) => {
    if (!list.isConnected || event.composedPath()[0].closest?.("input, textarea")) return;
    const root = list.getRootNode();
    const selection = root.getSelection ? root.getSelection() : document.getSelection();
    if (!selection?.rangeCount || selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const texts = [...list.querySelectorAll(".message:not(.folded) > .text")].filter((text) => range.intersectsNode(text));
    if (texts.length < 2) return;
    const lines = texts.map((text) => [entryOf(text.parentElement), selected(text, range)]).filter(([entry, words]) => entry && words);
    event.preventDefault();
    event.clipboardData.setData("text/plain", lines.map(([entry, words]) => `${time(new Date(entry.date))} ${entry.author.name}: ${words}`).join("\n"));
  });
}

/** The selected part of a text. */
function selected(text, range) {
  const part = document.createRange();
  part.selectNodeContents(text);
  if (text.contains(range.startContainer)) part.setStart(range.startContainer, range.startOffset);
  if (text.contains(range.endContainer)) part.setEnd(range.endContainer, range.endOffset);
  return part.toString().trim();
}
