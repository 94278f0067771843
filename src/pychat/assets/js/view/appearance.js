/** Layout, density and size of the text of a frame: what the user prefers, else what the page sets, else what the width allows. */

import { preferences } from "../preferences.js";

/** Pixels from which on a frame has a stream: a phone has bubbles. */
const WIDE = 640;

/** @param {HTMLElement} frame in the document @param {AbortSignal} [signal] */
export function appearance(frame, signal) {
  const chosen = preferences();

  function show() {
    const set = getComputedStyle(frame).getPropertyValue("--pychat-layout").trim();
    const fitting = frame.clientWidth >= WIDE ? "stream" : "bubbles";
    const layout = [chosen.get("layout"), set].find((one) => one === "stream" || one === "bubbles") ?? fitting;
    Object.assign(frame.dataset, { layout, density: chosen.get("density"), size: chosen.get("size") });
  }

  const observer = new ResizeObserver(show);
  observer.observe(frame);
  const stop = chosen.on("change", show);
  signal?.addEventListener("abort", () => {
    observer.disconnect();
    stop();
  });
  show();
}
