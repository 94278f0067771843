/** Completes an emoji after `:`. */

import { t, withWords } from "../words.js";

const BEGINNING = /(?<=^|[\s([{"'“‘«])(:)([\p{L}\p{N}_+-]{2,30})$/u;
const WHOLE = /(?<=^|[\s([{"'“‘«])(:)([\p{L}\p{N}_+-]{1,30}):$/u;
const MAX_OPTIONS = 8;

/** @returns {import("./completion.js").Source} */
export function emojiSource() {
  const load = async () => {
    const module = await withWords(import("./emoji.js"));
    return { all: await module.emoji(), search: module.search };
  };

  function beginning(text, caret) {
    const before = text.slice(Math.max(0, caret - 40), caret);
    const found = BEGINNING.exec(before) ?? WHOLE.exec(before);
    return found ? { start: caret - found[0].length, query: found[0].slice(1) } : undefined;
  }

  async function options(query) {
    try {
      const { all, search } = await load();
      const whole = query.endsWith(":");
      const words = whole ? query.slice(0, -1) : query;
      const found = whole ? all.filter(({ short }) => short.includes(words.toLowerCase())).slice(0, 1) : search(all, words, MAX_OPTIONS);
      return found.map(({ emoji, name, short }) => {
        // Of several short names, the one that is being written.
        const shown = short.find((one) => one.startsWith(words.toLowerCase())) ?? short[0];
        return { text: whole ? emoji : `${emoji} `, whole: whole && "replace", label: shown ? `:${shown}:` : name, hint: shown ? name : "", mark: emoji };
      });
    } catch {
      return [];
    }
  }

  return { label: () => t("composer.emoji-list"), beginning, options };
}
