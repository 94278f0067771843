/** The theme button: the system's theme until the user chooses one. boot.js sets the theme first. */

import { browserStorage } from "../storage.js";

const KEY = "pychat:theme";
const BUTTON = '[data-part="theme-button"]';

/** @returns {() => void} shows the theme on the button of the room that is shown now */
export function theme() {
  const storage = browserStorage();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;

  function show() {
    root.dataset.theme = storage.getItem(KEY) ?? (system.matches ? "dark" : "light");
    const canvas = getComputedStyle(document.body).backgroundColor;
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", canvas);
    const dark = root.dataset.theme === "dark";
    const button = document.querySelector(BUTTON);
    if (!button) return;
    button.hidden = false;
    button.setAttribute("aria-pressed", String(dark));
    button.title = dark ? "Light theme" : "Dark theme";
  }

  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.(BUTTON)) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    // If the choice equals the system's theme, follow the system again.
    if (next === (system.matches ? "dark" : "light")) storage.removeItem(KEY);
    else storage.setItem(KEY, next);
    show();
  });
  system.addEventListener("change", show);
  addEventListener("storage", ({ key }) => key === KEY && show());
  show();
  return show;
}
