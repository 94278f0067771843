// Sets the theme before the first paint. A classic script, because modules run later.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("pychat:theme");
  } catch {
    // The storage is forbidden: use the system's theme.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = chosen ?? (dark ? "dark" : "light");
})();
