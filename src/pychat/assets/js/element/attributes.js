/** Attributes of an element as its properties. */

/**
 * Defines a property for each attribute.
 * @param {typeof HTMLElement} element @param {string[]} names
 */
export function reflect(element, names) {
  for (const name of names) {
    Object.defineProperty(element.prototype, name, {
      configurable: true,
      enumerable: true,
      get() {
        return this.getAttribute(name);
      },
      set(value) {
        if (value === null || value === undefined) this.removeAttribute(name);
        else this.setAttribute(name, value);
      },
    });
  }
}

/**
 * Applies the properties that the page set before the element was defined: they would hide the accessors.
 * @param {HTMLElement} element @param {string[]} names
 */
export function upgrade(element, names) {
  for (const name of names) {
    if (!Object.hasOwn(element, name)) continue;
    const value = element[name];
    delete element[name];
    element[name] = value;
  }
}
