/** What the page shows to a user who has no room: the state of the connection, and that there is nothing to read. */

import { write } from "../view/template-refs.js";
import { refusalText, t } from "../words.js";

/** @param {import("../chat.js").Chat} chat @param {import("../view/template-refs.js").TemplateRefs} refs of the page */
export function nowhere(chat, refs) {
  const card = refs.find("nowhere");
  const parts = ["pill", "pill-text", "nowhere-title", "nowhere-text"].map((name) => refs.find(name));

  function showState(state) {
    const { name } = state;
    const [pill, word, heading, words] = parts;
    pill.dataset.state = name;
    write(word, t(`status.${name}`));
    if (name !== "refused") return;
    write(heading, t("nowhere.barred"));
    write(words, refusalText(state));
    card.hidden = false;
  }

  // The markup of the first room stands for none until there is one.
  const stop = chat.on("state", showState);
  return {
    show: () => (card.hidden = false),
    hide() {
      card.hidden = true;
      stop();
    },
  };
}
