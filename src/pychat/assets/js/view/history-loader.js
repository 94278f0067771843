/** The lines for gaps in the log. A line near the visible part fetches its messages; a button repeats a failed fetch. */

import { t } from "../words.js";
import { write } from "./template-refs.js";

/** Pixels outside the visible part. */
const NEAR = 500;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("./scroll.js").Scroll} scroll
 */
export function historyLoader(room, refs, scroll) {
  /** @type {Map<number, {line: HTMLElement, gap: import("../gaps.js").Gap, loading: boolean, failed: boolean}>} */
  const shown = new Map();
  const near = new IntersectionObserver(
    (seen) => {
      for (const { target, isIntersecting } of seen) {
        const one = [...shown.values()].find(({ line }) => line === target);
        if (one && isIntersecting && !one.failed) load(one);
      }
    },
    { root: refs.root.contains(refs.find("scroll")) ? refs.find("scroll") : null, rootMargin: `${NEAR}px 0px` },
  );

  async function load(one) {
    if (one.loading) return;
    one.loading = true;
    one.failed = false;
    show(one);
    try {
      // A reader who scrolls down continues at the older end of the gap.
      await room.fill(one.gap, one.gap.from > 0 && scroll.isBelow(one.line) ? "older" : "newer");
    } catch {
      one.failed = true;
    } finally {
      one.loading = false;
      show(one);
      reobserve(one);
    }
  }

  /** An observer reports changes only, so a line that is still near after a page must be observed again once it is drawn. */
  function reobserve(one) {
    near.unobserve(one.line);
    if (!one.failed) requestAnimationFrame(() => requestAnimationFrame(() => shown.get(one.gap.from) === one && near.observe(one.line)));
  }

  function show({ line, gap, loading }) {
    line.classList.toggle("loading", loading);
    write(line.firstElementChild, t(loading ? "log.loading" : gap.from === 0 ? "log.older" : "log.gap"));
  }

  function add(gap) {
    const one = { line: refs.copy("gap"), gap, loading: false, failed: false };
    one.line.firstElementChild.addEventListener("click", () => load(one));
    shown.set(gap.from, one);
    show(one);
    near.observe(one.line);
    return one;
  }

  room.on("welcome", () => {
    for (const one of shown.values()) {
      one.failed = false;
      reobserve(one);
    }
  });

  return {
    /** Returns the lines for the present `room.log.gaps`. @returns {{line: HTMLElement, to: number}[]} */
    lines() {
      const { list } = room.log.gaps;
      for (const [from, { line }] of shown) {
        if (list.some((gap) => gap.from === from)) continue;
        near.unobserve(line);
        shown.delete(from);
      }
      return list.map((gap) => {
        const one = shown.get(gap.from) ?? add(gap);
        one.gap = gap;
        return { line: one.line, to: gap.to };
      });
    },
  };
}
