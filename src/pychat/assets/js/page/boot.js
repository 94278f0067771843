// Runs before anything is painted, so that no page ever flashes in the wrong theme. A classic script: modules run later.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("pychat:theme");
  } catch {
    // No storage allowed here: the system's theme it is.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen ?? (dark ? "dark" : "light");
})();
