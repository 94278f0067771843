/** Fits the page to the visible area: on iOS the keyboard covers the page without making its window smaller. */

export function fitWindow() {
  const viewport = globalThis.visualViewport;
  if (!viewport) return;
  const fit = () => {
    // Keep the size while the user zooms in.
    if (Math.abs(viewport.scale - 1) > 0.01) return;
    document.documentElement.style.setProperty("--window", `${viewport.height}px`);
    if (viewport.offsetTop > 0) scrollTo(0, 0);
  };
  viewport.addEventListener("resize", fit);
  viewport.addEventListener("scroll", fit);
  fit();
}
