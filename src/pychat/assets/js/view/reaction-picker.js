/** Reactions: the dialog with more emoji, and what happens when one is chosen. */

import { t, withWords } from "../words.js";
import { make } from "./elements.js";
import { recentEmoji, rememberEmoji } from "./recent-emoji.js";
import { write } from "./template-refs.js";

const COLUMNS = 6;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(refusal: {text: string}) => void} failed
 */
export function reactionPicker(room, refs, failed) {
  const dialog = refs.find("picker", "dialog");
  const other = refs.find("picker-other", "input");
  const error = refs.find("picker-error");
  let entry = null;
  /** @type {HTMLElement | null} */
  let opener = null;

  const isMine = (which, emoji) => !!which.reactions?.[emoji]?.includes(room.me?.id);

  /** Adds the user's reaction to a message, or removes it. @param {import("../log.js").Entry} which @param {string} emoji */
  function react(which, emoji) {
    const on = !isMine(which, emoji);
    if (on) rememberEmoji(emoji);
    room.react(which.seq, emoji, on).catch(failed);
  }

  function choose(emoji) {
    dialog.close();
    react(entry, emoji);
  }

  /** Marks the buttons of emoji that the user has reacted with. @param {HTMLElement} place @param {import("../log.js").Entry} which */
  function mark(place, which) {
    for (const button of place.querySelectorAll("[data-emoji]")) button.ariaPressed = String(isMine(which, button.dataset.emoji));
  }

  function place(at) {
    const from = at.getBoundingClientRect();
    const { width, height } = dialog.getBoundingClientRect();
    const left = Math.max(8, Math.min(from.left + from.width / 2 - width / 2, innerWidth - width - 8));
    const above = from.top - height - 8;
    dialog.style.setProperty("left", `${left}px`);
    dialog.style.setProperty("top", `${above > 8 ? above : Math.max(8, Math.min(from.bottom + 8, innerHeight - height - 8))}px`);
  }

  dialog.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-emoji]");
    if (button) choose(button.dataset.emoji);
    else if (target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const forward = getComputedStyle(dialog).direction === "rtl" ? -1 : 1;
    const step = { ArrowRight: forward, ArrowLeft: -forward, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[event.key];
    const stops = [...dialog.querySelectorAll("[data-emoji]")];
    const at = stops.indexOf(refs.active);
    if (!step || at < 0) return;
    event.preventDefault();
    (stops[at + step] ?? (step === COLUMNS ? other : stops[at])).focus();
  });
  refs.find("picker-more", "button").addEventListener("click", async () => {
    const which = entry;
    dialog.close();
    try {
      const { pickEmoji } = await withWords(import("../writing/emoji-picker.js"));
      await pickEmoji(refs, opener, (emoji) => react(which, emoji));
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      failed({ text: t("page.not-loaded") });
    }
  });
  other.addEventListener("input", () => (error.hidden = true));
  refs.find("picker-form", "form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const emoji = other.value.trim();
    if (!emoji) return;
    try {
      await room.react(entry.seq, emoji, !isMine(entry, emoji));
      rememberEmoji(emoji);
      dialog.close();
    } catch ({ text }) {
      write(error, text);
      error.hidden = false;
    }
  });

  return {
    react,
    /**
     * Buttons for the recent emoji.
     * @param {import("../log.js").Entry} which the message that they react to
     * @param {number} count @param {string} className of each @param {() => void} [then] called after a click
     */
    buttons: (which, count, className, then) =>
      recentEmoji(count).map((emoji) =>
        make("button", {
          class: className,
          type: "button",
          tabindex: "-1",
          "data-emoji": emoji,
          "aria-label": t("message.react-with", { emoji }),
          "aria-pressed": String(isMine(which, emoji)),
          click: () => {
            react(which, emoji);
            then?.();
          },
        }, emoji),
      ),
    mark,
    /** @param {import("../log.js").Entry} which @param {HTMLElement} at */
    open(which, at) {
      entry = which;
      opener = at;
      mark(dialog, which);
      other.value = "";
      error.hidden = true;
      dialog.showModal();
      place(at);
    },
  };
}
