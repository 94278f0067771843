/** The style sheets of the element, made once for all on a page. Constructed, so that no Content-Security-Policy minds. */

let made;

/** @returns {Promise<CSSStyleSheet[] | undefined>} nothing where they cannot be had just now */
export async function styles() {
  try {
    return await (made ??= Promise.all(["element.css", "room.css"].map(sheet)));
  } catch {
    made = undefined;
    return undefined;
  }
}

async function sheet(name) {
  const response = await fetch(new URL(`../../${name}`, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const made = new CSSStyleSheet();
  made.replaceSync(unrooted(await response.text()));
  return made;
}

/**
 * `rem` is the font size of the page around, which may be anything; ours is a property that the page may set.
 * Queries know no properties.
 * @param {string} css
 */
function unrooted(css) {
  return css
    .replace(/@(?:container|media)[^{]*/g, (query) => query.replace(/([\d.]+)rem/g, (_, count) => `${count * 16}px`))
    .replace(/(-?[\d.]+)rem\b/g, "calc($1 * var(--size))");
}
