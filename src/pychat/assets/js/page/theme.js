/** The theme button: the system's theme until the user chooses one. boot.js sets the theme first. */

import { browserStorage } from "../storage.js";

const KEY = "pychat:theme";

/** @param {import("../view/template-refs.js").TemplateRefs} refs */
export function theme(refs) {
  const storage = browserStorage();
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const button = refs.find("theme-button", "button");

  function show() {
    root.dataset.theme = storage.getItem(KEY) ?? (system.matches ? "dark" : "light");
    const dark = root.dataset.theme === "dark";
    button.setAttribute("aria-pressed", String(dark));
    button.title = dark ? "Light theme" : "Dark theme";
    const canvas = getComputedStyle(document.body).backgroundColor;
    document.querySelector('meta[name="theme-color"]')?.setAttribute("content", canvas);
  }

  button.addEventListener("click", () => {
    const next = root.dataset.theme === "dark" ? "light" : "dark";
    // If the choice equals the system's theme, follow the system again.
    if (next === (system.matches ? "dark" : "light")) storage.removeItem(KEY);
    else storage.setItem(KEY, next);
    show();
  });
  system.addEventListener("change", show);
  addEventListener("storage", ({ key }) => key === KEY && show());
  button.hidden = false;
  show();
}
