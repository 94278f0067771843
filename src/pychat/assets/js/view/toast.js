/** A short message over the conversation that goes away by itself, with a way to undo what it tells of. */

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
  const box = refs.find("toast");
  const button = refs.find("toast-undo", "button");
  const hide = () => (box.hidden = true);
  place(refs);
  clearTimeout(timers.get(box));
  box.hidden = false;
  write(refs.find("toast-text"), text);
  button.hidden = !undo;
  button.onclick = async () => {
    button.disabled = true;
    try {
      await undo();
      toast(refs, "Undone.");
    } catch (refusal) {
      toast(refs, refusal.text);
    } finally {
      button.disabled = false;
    }
  };
  const fade = () => (box.matches(":hover, :focus-within") ? timers.set(box, setTimeout(fade, SHOWN)) : hide());
  timers.set(box, setTimeout(fade, SHOWN));
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
