/** Dialogs are drawn over all of a window; these stand over their room's frame, wherever on a page that is. */

/**
 * @param {HTMLDialogElement} dialog
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @returns {() => void} opens it, there
 */
export function dialogOpener(dialog, refs) {
  const frame = dialog.closest(".frame");

  function place() {
    const { clientWidth, clientHeight } = document.documentElement;
    const { top, right, bottom, left } = frame.getBoundingClientRect();
    const inset = { top, right: clientWidth - right, bottom: clientHeight - bottom, left };
    // What of the frame is out of sight is not covered.
    for (const [side, pixels] of Object.entries(inset)) set(side, Math.max(0, pixels));
    set("width", Math.min(right, clientWidth) - Math.max(0, left));
    set("height", Math.min(bottom, clientHeight) - Math.max(0, top));
    dialog.style.setProperty("--dialog-radius", getComputedStyle(frame).borderRadius);
  }

  const set = (name, pixels) => dialog.style.setProperty(`--dialog-${name}`, `${pixels}px`);
  const follow = () => dialog.open && place();
  addEventListener("resize", follow, { signal: refs.signal });
  addEventListener("scroll", follow, { signal: refs.signal, capture: true, passive: true });

  return () => {
    frame?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (frame) place();
    dialog.showModal();
  };
}
