/** A long press of a finger on a row of the log. Scrolling is none, and links keep the menu of the browser. */

/** Milliseconds. */
const LONG = 450;
/** Pixels that a finger may move meanwhile. */
const SLACK = 10;

/**
 * @param {HTMLElement} list
 * @param {string} selector of the rows
 * @param {(row: HTMLElement) => void} pressed
 */
export function longPress(list, selector, pressed) {
  let timer;
  let start = null;
  let done = false;

  function end() {
    clearTimeout(timer);
    start = null;
  }

  list.addEventListener("pointerdown", ({ pointerType, isPrimary, target, clientX, clientY }) => {
    end();
    done = false;
    const row = target.closest(selector);
    if (pointerType !== "touch" || !isPrimary || !row || target.closest("a")) return;
    start = [clientX, clientY];
    timer = setTimeout(() => {
      done = true;
      pressed(row);
    }, LONG);
  });
  list.addEventListener("pointermove", ({ clientX, clientY }) => {
    if (start && Math.hypot(clientX - start[0], clientY - start[1]) > SLACK) end();
  });
  // A browser that begins to scroll cancels the pointer.
  for (const event of ["pointerup", "pointercancel"]) list.addEventListener(event, end);
  // Android selects a word at a long press.
  list.addEventListener("contextmenu", (event) => (start || done) && event.preventDefault());
  // The finger is lifted over what the press has opened: that is no tap.
  list.addEventListener("touchend", (event) => done && event.cancelable && event.preventDefault(), { passive: false });
}
