/** A button that leads up to the line “New messages”, while that is above the view and was not seen yet. */

import { t } from "../words.js";
import { write } from "./template-refs.js";

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {import("./scroll.js").Scroll} options.scroll
 * @param {ReturnType<typeof import("./reading.js").reading>} options.read
 * @param {(entry: import("../log.js").Entry) => void} options.reveal scrolls to a message
 */
export function newAbove(refs, { scroll, read, reveal }) {
  const button = refs.find("unread", "button");
  /** The first new message whose line was seen. */
  let seen = null;

  button.addEventListener("click", () => {
    const first = read.firstNew();
    if (first) reveal(first);
  });

  return {
    /** The list was drawn, or scrolled. */
    show() {
      const first = read.firstNew();
      if (!first) seen = null;
      if (first && refs.inSight && read.line.isConnected && !scroll.isAbove(read.line)) seen = first;
      button.hidden = !first || first === seen || (read.line.isConnected && !scroll.isAbove(read.line));
      if (!button.hidden) write(refs.find("unread-text"), t("log.new-above", { count: read.count }));
    },
  };
}
