/** Makes elements. Texts become text nodes, never markup. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {string} tag
 * @param {Record<string, string | boolean | number | undefined | ((event: any) => void)>} [attributes] a function listens
 *   to the event of its name; `true` is an attribute without a value; `false` and `undefined` are left out
 * @param {...(Node | string | undefined)} children
 * @returns {HTMLElement}
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** An icon of 20 by 20. @param {string} path @returns {SVGElement} */
export function icon(path) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 20 20");
  made.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  made.append(line);
  return made;
}

/** A name of a person, whose direction does not turn the text around it. @param {string} name @returns {HTMLElement} */
export const nameOf = (name) => make("bdi", {}, name);
