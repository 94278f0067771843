/** A short message over the conversation that goes away by itself, with a way to undo what it tells of; or a question that stays. */

import { refusalText, t } from "../words.js";
import { make } from "./elements.js";
import { write } from "./template-refs.js";

/** Milliseconds. */
const SHOWN = 8000;

const timers = new WeakMap();

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {string} text
 * @param {() => Promise<unknown>} [undo]
 */
export function toast(refs, text, undo) {
  const run = async () => {
    try {
      await undo();
      toast(refs, t("toast.undone"));
    } catch (refusal) {
      toast(refs, refusalText(refusal));
    }
  };
  const box = show(refs, text, undo ? { [t("toast.undo")]: run } : {}, "toast-undo");
  const fade = () => (box.matches(":hover, :focus-within") ? timers.set(box, setTimeout(fade, SHOWN)) : (box.hidden = true));
  timers.set(box, setTimeout(fade, SHOWN));
}

/**
 * Asks something that waits for an answer.
 * @param {import("./template-refs.js").TemplateRefs} refs @param {string} text
 * @param {Record<string, () => void>} answers by what their buttons say
 */
export function question(refs, text, answers) {
  show(refs, text, answers);
}

function show(refs, text, answers, part = "toast-answer") {
  const box = refs.find("toast");
  place(refs);
  clearTimeout(timers.get(box));
  box.hidden = false;
  write(refs.find("toast-text"), text);
  for (const old of box.querySelectorAll("button")) old.remove();
  for (const [label, run] of Object.entries(answers)) {
    const answer = () => {
      box.hidden = true;
      run();
    };
    box.append(" ", make("button", { class: "link", type: "button", "data-part": part, click: answer }, label));
  }
  return box;
}

/** Over the sheet that is open, such as the people on a phone: what is behind it can be neither read nor clicked. */
function place(refs) {
  const live = refs.find("toast-live");
  const home = refs.root.querySelector(".view");
  const sheet = refs.root.querySelector("dialog.sheet[open]");
  const to = sheet ?? home;
  if (to && live.parentElement !== to) to.append(live);
  sheet?.addEventListener("close", () => home?.append(live), { once: true });
}
