/** Draws a list again, but only the rows that changed: a row that is used keeps the focus and its texts. */

import { make } from "../view/elements.js";

export class Rows {
  #list;
  #draw;
  /** @type {Map<string, {row: HTMLElement, as: string}>} */
  #rows = new Map();

  /** @param {HTMLElement} list @param {(item: object) => HTMLElement} draw makes a row */
  constructor(list, draw) {
    this.#list = list;
    this.#draw = draw;
  }

  /** @param {object[]} items @param {(item: object) => string} key */
  show(items, key) {
    const rows = new Map();
    for (const item of items) {
      const as = JSON.stringify(item);
      const known = this.#rows.get(key(item));
      rows.set(key(item), known?.as === as ? known : { row: this.#draw(item), as });
    }
    this.#rows = rows;
    const wanted = [...rows.values()].map(({ row }) => row);
    for (const row of [...this.#list.children]) if (!wanted.includes(row)) row.remove();
    wanted.forEach((row, at) => this.#list.children[at] === row || this.#list.insertBefore(row, this.#list.children[at] ?? null));
  }
}

/** A heading with its list; hidden while the list is empty. @param {string} title @param {(item: object) => HTMLElement} draw */
export function section(title, draw) {
  const list = make("ul", { class: "order-list" });
  const element = make("section", { hidden: true }, make("h3", {}, title), list);
  const rows = new Rows(list, draw);
  return {
    element,
    show(items, key) {
      rows.show(items, key);
      element.hidden = !items.length;
    },
  };
}
