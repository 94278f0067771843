/** Finds the pieces of the page by name and copies its templates. The page layer's only way to the document. */

/**
 * A piece of the page. Where a template of the embedding application left it out, a stand-in that is on no page,
 * so that nobody has to ask.
 * @param {string} name of `data-part`
 * @param {string} [tag] of the stand-in
 * @returns {HTMLElement}
 */
export function part(name, tag = "div") {
  return document.querySelector(`[data-part="${name}"]`) ?? document.createElement(tag);
}

/** @param {string} name of `data-template` @returns {HTMLElement} */
export function copy(name) {
  return document.querySelector(`[data-template="${name}"]`).content.firstElementChild.cloneNode(true);
}

/** Sets the text, where it is another: a live region speaks at every touch. @param {Element} element @param {string} text */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Whether typing happens on keys, so that taking the focus does not throw a keyboard up. */
export const hasKeys = () => matchMedia("(hover: hover) and (pointer: fine)").matches;
