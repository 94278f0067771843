/** The fields of a question: a line of text, one of several, yes or no. */

import { make } from "../view/elements.js";

/** Characters of a reason, as the server allows. */
export const MAX_REASON = 300;

let count = 0;

/**
 * A line of text with its label.
 * @param {string} label
 * @param {Record<string, unknown>} [attributes] of the input
 * @param {string} [hint]
 * @returns {{element: HTMLElement, input: HTMLInputElement, readonly value: string}}
 */
export function textField(label, attributes = {}, hint) {
  const id = `pychat-field-${(count += 1)}`;
  const input = make("input", { class: "field", type: "text", dir: "auto", autocomplete: "off", id, "aria-describedby": hint && `${id}-hint`, ...attributes });
  const element = make("div", { class: "entry-field" }, make("label", { for: id }, label), input, hint && make("p", { class: "hint", id: `${id}-hint` }, hint));
  return {
    element,
    input,
    get value() {
      return input.value.trim();
    },
  };
}

/**
 * One of several.
 * @template T
 * @param {string} legend
 * @param {{label: string, hint?: string, value: T}[]} options
 * @param {T} chosen
 * @param {(value: T) => void} [changed]
 * @returns {{element: HTMLElement, readonly value: T, choose(value: T): void}}
 */
export function choice(legend, options, chosen, changed = () => {}) {
  const name = `pychat-choice-${(count += 1)}`;
  const inputs = options.map(({ value }, at) => make("input", { type: "radio", name, value: at, checked: value === chosen, change: () => changed(value) }));
  const rows = options.map(({ label, hint }, at) => make("label", {}, inputs[at], make("span", {}, label, hint && make("small", {}, hint))));
  const element = make("fieldset", { class: options.some(({ hint }) => hint) ? "choice rows" : "choice" }, make("legend", {}, legend), make("div", {}, ...rows));
  return {
    element,
    get value() {
      return options[inputs.findIndex(({ checked }) => checked)]?.value;
    },
    choose(value) {
      options.forEach((option, at) => (inputs[at].checked = option.value === value));
    },
  };
}

/**
 * Yes or no.
 * @param {string} label @param {string} [hint] @param {boolean} [checked] @param {(on: boolean) => void} [changed]
 * @returns {{element: HTMLElement, input: HTMLInputElement, readonly value: boolean}}
 */
export function check(label, hint, checked = false, changed = () => {}) {
  const input = make("input", { type: "checkbox", checked, change: () => changed(input.checked) });
  const element = make("label", { class: "check" }, input, make("span", {}, label, hint && make("small", {}, hint)));
  return {
    element,
    input,
    get value() {
      return input.checked;
    },
  };
}
