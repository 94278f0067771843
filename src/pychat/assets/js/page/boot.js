// Sets the theme and the size of the text before the first paint. A classic script, because modules run later.
(() => {
  let chosen = {};
  try {
    chosen = JSON.parse(localStorage.getItem("pychat:preferences")) ?? {};
  } catch {
    // The storage is forbidden: use the system's theme.
  }
  const system = matchMedia("(prefers-contrast: more)").matches ? "contrast" : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const { dataset } = document.documentElement;
  dataset.theme = chosen.theme && chosen.theme !== "system" ? chosen.theme : system;
  dataset.size = chosen.size ?? "medium";
  if (dataset.accent) document.documentElement.style.setProperty("--chat-accent", dataset.accent);
})();
