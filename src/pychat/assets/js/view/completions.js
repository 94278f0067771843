/** What the message box completes: commands, names, emoji. */

import { completion } from "../writing/completion.js";
import { emojiSource } from "../writing/emoji-source.js";
import { mentionSource } from "../writing/mention-source.js";
import { t } from "../words.js";

const COMMAND = /^\/([a-z]*)$/i;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {() => Promise<ReturnType<typeof import("../writing/commands.js").commands>>} commands loads them
 */
export function completions(room, refs, commands) {
  const field = refs.find("text", "textarea");
  const form = refs.find("composer", "form");
  const commandSource = {
    label: () => t("composer.commands"),
    beginning(text, caret) {
      const found = form.dataset.about !== "edit" && COMMAND.exec(text.slice(0, caret));
      return found ? { start: 0, query: found[1] } : undefined;
    },
    options: async (query) => {
      try {
        return (await commands()).options(query);
      } catch {
        return [];
      }
    },
  };
  const mentions = mentionSource(room, () => list.show());
  const list = completion(refs, [commandSource, mentions, emojiSource()]);

  /** Puts a text at the caret. */
  const put = (text) => list.replace(text, field.selectionStart, field.selectionEnd);

  return {
    /** Mentions a person, behind a space if a word stands before the caret. @param {string} name */
    insert(name) {
      const before = field.value[field.selectionStart - 1] ?? " ";
      put(`${before.trim() ? " " : ""}@${name} `);
    },
    put,
  };
}
