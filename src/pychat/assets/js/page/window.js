/** Fits the page to what is in sight: on iOS the keyboard covers the page, and does not make its window smaller. */

export function fitWindow() {
  const seen = globalThis.visualViewport;
  if (!seen) return;
  const fit = () => {
    // Somebody who zooms in wants to see less.
    if (Math.abs(seen.scale - 1) > 0.01) return;
    document.documentElement.style.setProperty("--window", `${seen.height}px`);
    if (seen.offsetTop > 0) scrollTo(0, 0);
  };
  seen.addEventListener("resize", fit);
  seen.addEventListener("scroll", fit);
  fit();
}
