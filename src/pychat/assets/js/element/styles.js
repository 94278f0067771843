/** The element's style sheet, shared by all elements of a page. A constructed sheet works with any Content-Security-Policy. */

let made;

/** @returns {Promise<CSSStyleSheet[] | undefined>} `undefined` if they cannot be loaded now */
export async function styles() {
  try {
    return [await (made ??= load())];
  } catch {
    made = undefined;
    return undefined;
  }
}

async function load() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(replaceRem(await text(new URL("../../css/element.css", import.meta.url))));
  return sheet;
}

/** The text of a style sheet, with the sheets that it imports in their places. */
async function text(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  const css = await response.text();
  const imported = [...css.matchAll(/@import "([^"]+)";/g)].map(([, path]) => text(new URL(path, url)));
  const texts = await Promise.all(imported);
  return css.replace(/@import "[^"]+";/g, () => texts.shift());
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
