/** Completes a name after `@` in the message box: with the arrow keys and Enter or Tab, or with a tap. */

import { initials } from "../colour.js";
import { HERE, beginning, matching } from "../mentions.js";
import { write } from "./template-refs.js";

const MAX_OPTIONS = 6;
/** Milliseconds for which the names of a large room are kept. */
const FRESH = 20_000;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @returns {{insert(name: string): void}}
 */
export function mentionCompletion(room, refs) {
  const field = refs.find("text", "textarea");
  const list = refs.find("mention-list", "ul");
  /** @type {{start: number, query: string} | undefined} */
  let open;
  let chosen = 0;
  /** Where Escape closed the list. */
  let dismissed = -1;
  let asked = { at: -Infinity, members: [] };

  function members() {
    const found = room.people.listed ? room.people.members : asked.members;
    return found.filter(({ id }) => id !== room.me?.id);
  }

  /** The server sends no names in a large room. */
  async function ask() {
    if (room.people.listed || Date.now() - asked.at < FRESH) return;
    asked = { ...asked, at: Date.now() };
    try {
      asked.members = (await room.who()).members;
      show();
    } catch {
      // The list stays without names.
    }
  }

  function show() {
    const { selectionStart: caret, selectionEnd, value } = field;
    open = caret === selectionEnd && refs.active === field ? beginning(value, caret, room.limits.name) : undefined;
    if (!open || open.start === dismissed) return hide();
    dismissed = -1;
    ask();
    const people = matching(members(), open.query, MAX_OPTIONS);
    const here = HERE.startsWith(open.query.toLowerCase()) ? [{ id: "", name: HERE, hint: "everyone in this room" }] : [];
    const options = [...people, ...here];
    if (!options.length) return hide();
    list.replaceChildren(...options.map(option));
    list.hidden = false;
    choose(0);
  }

  function option({ id, name, hint = "" }, at) {
    const row = refs.copy("mention");
    row.id = `pychat-mention-${at}`;
    row.dataset.name = name;
    const avatar = row.querySelector(".avatar");
    row.style.setProperty("--hue", room.people.hueOf(id));
    write(avatar, id ? initials(name) : "@");
    write(row.querySelector(".mention-name"), name);
    write(row.querySelector(".mention-hint"), hint);
    return row;
  }

  function choose(at) {
    const options = [...list.children];
    chosen = (at + options.length) % options.length;
    options.forEach((row, index) => row.setAttribute("aria-selected", String(index === chosen)));
    options[chosen].scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-activedescendant", options[chosen].id);
  }

  function hide() {
    list.hidden = true;
    field.removeAttribute("aria-controls");
    field.removeAttribute("aria-activedescendant");
  }

  function insert(name, from = field.selectionStart, to = field.selectionEnd) {
    const before = field.value.slice(0, from);
    const space = before && !/\s$/.test(before) ? " " : "";
    field.focus();
    field.setRangeText(`${space}@${name} `, from, to, "end");
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    hide();
  }

  /** Whether the whole name was typed: then Enter sends. */
  const isComplete = () => open.query.toLocaleLowerCase() === list.children[chosen].dataset.name.toLocaleLowerCase();
  const accept = (row) => insert(row.dataset.name, open.start, field.selectionStart);

  // Before the message box, which sends on Enter.
  field.addEventListener(
    "keydown",
    (event) => {
      if (list.hidden || event.isComposing || event.keyCode === 229) return;
      const { key, shiftKey } = event;
      if (key === "ArrowDown") choose(chosen + 1);
      else if (key === "ArrowUp") choose(chosen - 1);
      else if (key === "Enter" && isComplete()) return hide();
      else if ((key === "Enter" || key === "Tab") && !shiftKey) accept(list.children[chosen]);
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
    const row = target.closest("[role=option]");
    if (row) accept(row);
  });

  return { insert };
}
