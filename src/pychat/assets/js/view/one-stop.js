/** A list that is one stop of the Tab key; arrow keys, Home and End move in it. */

/**
 * @param {HTMLElement} list
 * @param {string} selector of its items
 * @returns {{settle(): void, focus(): void}} `settle` after each change of the items; `focus` goes to where the user was
 */
export function oneStop(list, selector) {
  let current = null;

  const items = () => [...list.querySelectorAll(selector)].filter((item) => !item.disabled && item.checkVisibility());

  function stopAt(item) {
    current = item;
    for (const one of list.querySelectorAll(selector)) one.tabIndex = one === item ? 0 : -1;
  }

  function settle() {
    const all = [...list.querySelectorAll(selector)].filter((item) => !item.disabled);
    stopAt(all.includes(current) ? current : (all.find((item) => item.getAttribute("aria-current")) ?? all[0] ?? null));
  }

  list.addEventListener("focusin", ({ target }) => {
    const item = target.closest(selector);
    if (item) stopAt(item);
  });
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(event.target.closest(selector));
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    all[Math.max(0, Math.min(to, all.length - 1))].focus();
  });
  settle();

  return { settle, focus: () => current?.focus() };
}
