/** A menu: a dialog beside the element that opened it, or a sheet at the bottom. Arrow keys move through its items. */

/**
 * @param {HTMLDialogElement} dialog
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @returns {{open(at: HTMLElement, options?: {sheet?: boolean}): void, close(): void}}
 */
export function menu(dialog, refs) {
  function place(at) {
    const from = at.getBoundingClientRect();
    const { width, height } = dialog.getBoundingClientRect();
    const clamp = (value, most) => Math.max(8, Math.min(value, most - 8));
    const beside = from.left > innerWidth / 2 ? from.right - width : from.left;
    dialog.style.setProperty("--menu-left", `${clamp(beside, innerWidth - width)}px`);
    dialog.style.setProperty("--menu-top", `${clamp(from.bottom + 6, innerHeight - height)}px`);
  }

  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const stops = [...dialog.querySelectorAll("button")].filter((button) => button.checkVisibility());
    const at = stops.indexOf(refs.active);
    const to = { ArrowDown: (at + 1) % stops.length, ArrowUp: (Math.max(at, 0) - 1 + stops.length) % stops.length, Home: 0, End: stops.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stops[to].focus();
  });

  return {
    open(at, { sheet = false } = {}) {
      dialog.classList.toggle("bottom", sheet);
      dialog.showModal();
      // A ring round the first emoji would look like a choice that a finger did not make.
      if (sheet) dialog.focus();
      else place(at);
    },
    close: () => dialog.close(),
  };
}
