/** When the log is drawn: in the next frame; while much arrives, every 100 ms at most; in a hidden page, every 500 ms. */

/** Milliseconds between two drawings, unless the user waits for one. */
const INTERVAL = 100;
const HIDDEN_INTERVAL = 500;

/**
 * @param {() => void} draw
 * @returns {(soon?: boolean) => void} schedules a drawing; with `soon`, in the next frame
 */
export function drawing(draw) {
  let last = -Infinity;
  let timer;
  let frame = false;

  function run() {
    frame = false;
    last = performance.now();
    draw();
  }

  function inFrame() {
    timer = undefined;
    frame = true;
    requestAnimationFrame(run);
  }

  return (soon = false) => {
    if (frame || (timer !== undefined && !soon)) return;
    clearTimeout(timer);
    const wait = soon ? 0 : INTERVAL - (performance.now() - last);
    // A hidden page gets no animation frames and must keep up, too.
    if (document.hidden) timer = setTimeout(() => ((timer = undefined), run()), HIDDEN_INTERVAL);
    else if (wait > 0) timer = setTimeout(inFrame, wait);
    else inFrame();
  };
}
