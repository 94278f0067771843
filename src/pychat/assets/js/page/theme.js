/** The theme and the size of the text on the page, and the button that changes from light to dark. boot.js sets both first. */

import { preferences } from "../preferences.js";
import { t } from "../words.js";

const BUTTON = '[data-part="theme-button"]';

/** @returns {() => void} shows the theme on the button of the room that is shown now */
export function theme() {
  const chosen = preferences();
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const contrast = matchMedia("(prefers-contrast: more)");
  const root = document.documentElement;

  const ofSystem = () => (contrast.matches ? "contrast" : dark.matches ? "dark" : "light");

  function show() {
    const theme = chosen.get("theme");
    root.dataset.theme = theme === "system" ? ofSystem() : theme;
    root.dataset.size = chosen.get("size");
    const canvas = getComputedStyle(document.body).backgroundColor;
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", canvas);
    const button = document.querySelector(BUTTON);
    if (!button) return;
    button.hidden = false;
    const isDark = root.dataset.theme === "dark";
    button.setAttribute("aria-pressed", String(isDark));
    button.title = isDark ? t("theme.light") : t("theme.dark");
  }

  document.addEventListener("click", ({ target }) => {
    if (!target.closest?.(BUTTON)) return;
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    // If the choice equals the system's theme, follow the system again.
    chosen.set("theme", next === ofSystem() ? "system" : next);
  });
  for (const query of [dark, contrast]) query.addEventListener("change", show);
  chosen.on("change", (key) => ["theme", "size"].includes(key) && show());
  show();
  return show;
}
