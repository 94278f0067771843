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
