/** Places dialogs over their room's frame, wherever on a page it is, instead of over the whole window. */

/**
 * @param {HTMLDialogElement} dialog
 * @param {{signal?: AbortSignal}} refs the listeners end with its signal
 * @returns {() => void} opens the dialog over the frame
 */
export function dialogOpener(dialog, refs) {
  /** A view may not be in its frame yet. */
  const frameOf = () => dialog.closest(".frame");

  function place() {
    const frame = frameOf();
    if (!frame) return;
    const { clientWidth, clientHeight } = document.documentElement;
    const { top, right, bottom, left } = frame.getBoundingClientRect();
    const inset = { top, right: clientWidth - right, bottom: clientHeight - bottom, left };
    // Cover only the visible part of the frame.
    for (const [side, pixels] of Object.entries(inset)) set(side, Math.max(0, pixels));
    set("width", Math.min(right, clientWidth) - Math.max(0, left));
    set("height", Math.min(bottom, clientHeight) - Math.max(0, top));
    dialog.style.setProperty("--dialog-radius", getComputedStyle(frame).borderRadius);
  }

  const set = (name, pixels) => dialog.style.setProperty(`--dialog-${name}`, `${pixels}px`);
  const update = () => dialog.open && place();
  addEventListener("resize", update, { signal: refs.signal });
  addEventListener("scroll", update, { signal: refs.signal, capture: true, passive: true });

  return () => {
    frameOf()?.scrollIntoView({ block: "nearest", inline: "nearest" });
    place();
    dialog.showModal();
  };
}
