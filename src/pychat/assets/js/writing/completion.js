/** The list above the message box that completes what is being typed: with the arrow keys and Enter or Tab, or with a tap. */

import { write } from "../view/template-refs.js";

/**
 * @typedef {object} Option
 * @property {string} text replaces what was typed
 * @property {string} label
 * @property {string} [hint]
 * @property {string} [mark] stands before the label
 * @property {number} [hue] of the mark
 * @property {boolean | "replace"} [whole] whether it is what was typed: then Enter sends, or the text takes its place at once
 *
 * @typedef {object} Source
 * @property {() => string} label names the list
 * @property {(text: string, caret: number) => {start: number, query: string} | undefined} beginning where the words begin that it completes
 * @property {(query: string) => Option[] | Promise<Option[]>} options
 */

/**
 * @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {Source[]} sources the first one that knows what is being typed
 * @returns {{show(): void, replace(text: string, from: number, to: number): void}}
 */
export function completion(refs, sources) {
  const field = refs.find("text", "textarea");
  const list = refs.find("mention-list", "ul");
  /** @type {{source: Source, start: number, query: string} | undefined} */
  let open;
  /** @type {Option[]} */
  let options = [];
  let chosen = 0;
  /** Where Escape closed the list. */
  let dismissed = -1;

  function find() {
    const { selectionStart: caret, selectionEnd, value } = field;
    if (caret !== selectionEnd || refs.active !== field) return undefined;
    for (const source of sources) {
      const found = source.beginning(value, caret);
      if (found) return { source, ...found };
    }
    return undefined;
  }

  async function show() {
    const asked = (open = find());
    if (!open || open.start === dismissed) return hide();
    dismissed = -1;
    const found = open.source.options(open.query);
    // A list that is there at once is shown before the next key.
    const next = Array.isArray(found) ? found : await found;
    if (open !== asked) return;
    options = next;
    if (!options.length) return hide();
    if (options[0].whole === "replace") return accept(0);
    list.setAttribute("aria-label", open.source.label());
    list.replaceChildren(...options.map(row));
    list.hidden = false;
    choose(0);
  }

  function row({ label, hint = "", mark = "", hue }, at) {
    const made = refs.copy("mention");
    made.id = `pychat-mention-${at}`;
    if (hue === undefined) made.classList.add("plain");
    else made.style.setProperty("--hue", hue);
    write(made.querySelector(".avatar"), mark);
    write(made.querySelector(".mention-name"), label);
    write(made.querySelector(".mention-hint"), hint);
    return made;
  }

  function choose(at) {
    const rows = [...list.children];
    chosen = (at + rows.length) % rows.length;
    rows.forEach((each, index) => each.setAttribute("aria-selected", String(index === chosen)));
    rows[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-activedescendant", rows[chosen].id);
  }

  function hide() {
    open = undefined;
    list.hidden = true;
    field.removeAttribute("aria-controls");
    field.removeAttribute("aria-activedescendant");
  }

  function replace(text, from, to) {
    field.focus();
    field.setRangeText(text, from, to, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    hide();
  }

  const accept = (at) => replace(options[at].text, open.start, field.selectionStart);

  // Before the message box, which sends on Enter.
  field.addEventListener(
    "keydown",
    (event) => {
      if (list.hidden || event.isComposing || event.keyCode === 229) return;
      const { key, shiftKey } = event;
      if (key === "ArrowDown") choose(chosen + 1);
      else if (key === "ArrowUp") choose(chosen - 1);
      else if (key === "Enter" && options[chosen].whole) return hide();
      else if ((key === "Enter" || key === "Tab") && !shiftKey) accept(chosen);
      else if (key === "Escape") {
        dismissed = open.start;
        hide();
      } else return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { capture: true },
  );
  field.addEventListener("input", show);
  field.addEventListener("click", show);
  field.addEventListener("keyup", ({ key }) => ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key) && show());
  field.addEventListener("blur", hide);
  // The list takes no focus, so that a phone's keyboard stays open.
  list.addEventListener("pointerdown", (event) => event.preventDefault());
  list.addEventListener("click", ({ target }) => {
    const at = [...list.children].indexOf(target.closest("[role=option]"));
    if (at >= 0) accept(at);
  });

  return { show, replace };
}
