/** Colours code. Loaded when the first code with a language is shown. */

import { common, createLowlight } from "../../vendor/lowlight.js";
import { make } from "../view/elements.js";

const lowlight = createLowlight(common);

/**
 * @param {string} code @param {string} language such as `js`
 * @returns {Node[] | undefined} `undefined` if the language is not known
 */
export function highlight(code, language) {
  return lowlight.registered(language) ? lowlight.highlight(language, code).children.map(node) : undefined;
}

function node({ type, value, properties, children = [] }) {
  return type === "text" ? document.createTextNode(value) : make("span", { class: properties.className.join(" ") }, ...children.map(node));
}
