/** Content that is beside the conversation if there is space, else in a sheet that a button opens. */

import { dialogOpener } from "./dialog-position.js";

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {HTMLElement} options.inner the content
 * @param {HTMLElement} options.side its place beside the conversation; the style sheet hides it if there is no space
 * @param {HTMLDialogElement} options.sheet
 * @param {HTMLElement} options.close a button in the content
 * @param {() => void} [options.changed] called when the content has moved or appears
 * @returns {{open(): void, close(): void, readonly visible: boolean}}
 */
export function sideSheet(refs, { inner, side, sheet, close, changed = () => {} }) {
  const openSheet = dialogOpener(sheet, refs);
  let wide = false;

  const hasSpace = () => side.isConnected && getComputedStyle(side).display !== "none";

  function settle() {
    wide = hasSpace();
    if (wide && sheet.open) sheet.close();
    const place = wide || side.hidden ? side : sheet;
    if (inner.parentElement !== place) place.append(inner);
    changed();
  }

  close.addEventListener("click", () => sheet.close());
  sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close());
  const observer = new ResizeObserver(() => side.isConnected && wide !== hasSpace() && settle());
  for (const observed of [side.parentElement, side]) if (observed) observer.observe(observed);
  settle();

  return {
    open() {
      if (wide) return;
      openSheet();
      changed();
    },
    close: () => sheet.close(),
    settle,
    get visible() {
      return wide || sheet.open;
    },
  };
}
