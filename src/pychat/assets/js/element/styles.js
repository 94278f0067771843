/** The element's style sheets, shared by all elements of a page. Constructed sheets work with any Content-Security-Policy. */

let made;

/** @returns {Promise<CSSStyleSheet[] | undefined>} `undefined` if they cannot be loaded now */
export async function styles() {
  try {
    return await (made ??= Promise.all(["element.css", "room.css", "order.css"].map(sheet)));
  } catch {
    made = undefined;
    return undefined;
  }
}

async function sheet(name) {
  const response = await fetch(new URL(`../../${name}`, import.meta.url));
  if (!response.ok) throw new Error(`${name}: ${response.status}`);
  const made = new CSSStyleSheet();
  made.replaceSync(replaceRem(await response.text()));
  return made;
}

/**
 * Replaces `rem`, the font size of the host page, by the element's own size: a custom property, and pixels in queries,
 * which cannot use properties.
 * @param {string} css
 */
function replaceRem(css) {
  return css
    .replace(/@(?:container|media)[^{]*/g, (query) => query.replace(/([\d.]+)rem/g, (_, count) => `${count * 16}px`))
    .replace(/(-?[\d.]+)rem\b/g, "calc($1 * var(--size))");
}
