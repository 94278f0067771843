/**
 * The keyboard in the log. The log is one Tab stop: arrows up and down move between its rows, Home and End to the first and
 * the newest, arrow right into what a row has, Escape out of it, and then to the message box.
 */

import { labelOf } from "./line.js";

const ROW = ".message:not(.folded)";

/**
 * @param {HTMLElement} list
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {(line: Element) => import("../log.js").Entry | undefined} options.entryOf
 * @param {(line: HTMLElement) => void} options.around draws the neighbours of a row, if they are not in the document
 * @param {(edge: "above" | "below") => void} options.more draws more rows at an edge, if there are some
 * @param {() => void} options.toNewest scrolls to the newest row
 * @param {() => void} options.leave takes the user to the message box
 */
export function logKeys(list, refs, { entryOf, around, more, toNewest, leave }) {
  /** The row that Tab focuses. @type {HTMLElement | null} */
  let current = null;
  /** The index of the row that had the focus, should it be removed. */
  let place = -1;

  const rows = () => [...list.querySelectorAll(ROW)];

  function setCurrent(line) {
    if (line === current) return;
    current?.setAttribute("tabindex", "-1");
    current?.removeAttribute("aria-label");
    current = line;
    current?.setAttribute("tabindex", "0");
  }

  /** @param {Element | null | undefined} line @param {FocusOptions} [options] */
  function focus(line, options = { preventScroll: true }) {
    const row = line?.closest(ROW);
    if (!row) return leave();
    name(row);
    row.focus(options);
  }

  /** A screen reader reads the name when the focus arrives. Only one row has it, so that the others stay small. */
  function name(row) {
    setCurrent(row);
    row.ariaLabel = labelOf(entryOf(row), row);
  }

  function step(row, direction) {
    around(row);
    let next = row;
    do next = next[direction < 0 ? "previousElementSibling" : "nextElementSibling"];
    while (next && !next.matches(ROW));
    if (next) focus(next, {});
    more(direction < 0 ? "above" : "below");
  }

  /** What the keyboard reaches in a row: first what can be done with it, then what it contains. */
  function stops(row) {
    const all = [...row.querySelectorAll("a[href], button:enabled, pre[tabindex]")].filter((one) => one.checkVisibility());
    return [...all.filter((one) => one.closest(".message-actions")), ...all.filter((one) => !one.closest(".message-actions"))];
  }

  list.addEventListener("focusin", ({ target }) => {
    const row = target.closest(".message");
    if (row === target) name(row);
    else if (row) setCurrent(row);
  });
  list.addEventListener("keydown", (event) => {
    const row = event.target.closest(ROW);
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
    const onRow = event.target === row;
    // Code scrolls sideways.
    if (event.target.matches("pre") && event.key.startsWith("Arrow") && !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const forwards = getComputedStyle(row).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const backwards = forwards === "ArrowLeft" ? "ArrowRight" : "ArrowLeft";
    const inside = () => stops(row);
    const at = () => inside().indexOf(event.target);
    const move = {
      ArrowUp: () => step(row, -1),
      ArrowDown: () => step(row, 1),
      Home: () => (onRow ? (focus(rows()[0], {}), more("above")) : inside()[0]?.focus()),
      End: () => (onRow ? (toNewest(), focus(rows().at(-1))) : inside().at(-1)?.focus()),
      [forwards]: () => (onRow ? inside()[0] : inside()[at() + 1])?.focus(),
      [backwards]: () => onRow || (at() > 0 ? inside()[at() - 1].focus() : focus(row)),
      Escape: () => (onRow ? leave() : focus(row)),
    }[event.key];
    if (!move) return;
    event.preventDefault();
    move();
  });

  return {
    focus,
    /** The row that has the focus, or contains it. @returns {HTMLElement | null} */
    get row() {
      const { active } = refs;
      const row = active && list.contains(active) ? active.closest("li.message") : null;
      if (row) place = rows().indexOf(row);
      return row;
    },
    /** The list was drawn. @param {HTMLElement | null} held the row that had the focus before */
    drawn(held) {
      if (held && !list.contains(refs.active)) {
        const all = rows();
        const near = held.isConnected ? held : all[Math.min(place, all.length - 1)];
        if (!refs.active || refs.active === document.body) focus(near);
      }
      if (!current?.isConnected || !held) setCurrent(rows().at(-1) ?? null);
    },
  };
}
