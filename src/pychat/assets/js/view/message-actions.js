/** The action bar of a message (react, reply, edit, delete, more). It moves to the message that is hovered, tapped or focused. */

import { hasKeys } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {(line: HTMLElement) => import("../log.js").Entry | undefined} options.entryOf
 * @param {{reply(entry: object): void, edit(entry: object): void, complain(text: string): void}} options.composer
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} options.showPerson
 * @param {ReturnType<typeof import("./message-menu.js").messageMenu>} options.more
 */
export function messageActions(room, refs, { entryOf, composer, showPerson, more }) {
  const list = refs.find("messages", "ol");
  const bar = refs.find("message-actions");
  const confirmation = refs.find("confirm");
  const yes = refs.find("confirm-yes", "button");
  const picker = refs.find("picker", "dialog");
  const otherEmoji = refs.find("picker-other", "input");
  const [react, reply, person, edit, remove, rest] = ["react", "reply", "person", "edit", "delete", "more"].map((name) => `action-${name}`).map((name) => refs.find(name, "button"));
  let line = null;
  let entry = null;
  let target = null;

  function showAt(to) {
    if (to === line && bar.isConnected) return;
    const next = to && entryOf(to);
    if (!next || next.state !== "sent" || next.deleted || !room.me || room.state.name === "refused" || room.blocks(next.author.id) || !(room.may("write") || room.may("react") || more.has(next))) return hide();
    line = to;
    entry = next;
    ask(false);
    bar.hidden = false;
    line.querySelector(".bubble").append(bar);
  }

  function hide() {
    ask(false);
    line = null;
    entry = null;
    bar.remove();
  }

  const mayDelete = () => !!entry && ((entry.own && room.may("write")) || room.moderates);

  /** Shows the question whether to delete, or the buttons that it replaces. */
  function ask(on) {
    confirmation.hidden = !on;
    react.hidden = on || !room.may("react");
    reply.hidden = on || !room.may("write");
    person.hidden = on || !entry || entry.own;
    edit.hidden = on || !entry?.own || !room.may("write");
    remove.hidden = on || !mayDelete();
    rest.hidden = on || !entry || !more.has(entry);
  }

  /** The same, and moves the focus first: a hidden element loses it. */
  function askWithFocus(on) {
    confirmation.hidden = false;
    remove.hidden = false;
    (on ? yes : remove).focus();
    ask(on);
  }

  // A keyboard user keeps the bar, wherever the mouse pointer is.
  const usesKeys = () => !!refs.root.querySelector("dialog[open]") || !!bar.querySelector(":focus-visible");
  const failed = (refusal) => composer.complain(refusal.text);

  list.addEventListener("pointerover", ({ target: element, pointerType }) => {
    if (pointerType === "mouse" && !usesKeys() && confirmation.hidden) showAt(element.closest(".message"));
  });
  list.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && !usesKeys() && !line?.contains(refs.active)) hide();
  });
  list.addEventListener("focusin", ({ target: element }) => {
    // A tap on the name focuses it first: the bar would cover the name, and take the tap.
    if (!element.matches(".who:not(:focus-visible)")) showAt(element.closest(".message"));
  });
  list.addEventListener("focusout", ({ relatedTarget }) => {
    if (line && !refs.root.querySelector("dialog[open]") && !line.contains(relatedTarget) && !line.matches(":hover")) hide();
  });
  list.addEventListener("click", ({ target: element }) => {
    if (!hasKeys() && !element.closest("button, a")) showAt(element.closest(".message"));
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !bar.isConnected) return;
    const last = line;
    if (confirmation.hidden) last.focus();
    else askWithFocus(false);
  });

  reply.addEventListener("click", () => {
    composer.reply(entry);
    hide();
  });
  person.addEventListener("click", () => showPerson(entry.author, person));
  rest.addEventListener("click", () => more.open(entry, rest));
  edit.addEventListener("click", () => {
    composer.edit(entry);
    hide();
  });
  remove.addEventListener("click", () => askWithFocus(true));
  refs.find("confirm-no", "button").addEventListener("click", () => askWithFocus(false));
  yes.addEventListener("click", () => {
    const last = line;
    room.delete(entry.seq).catch(failed);
    last.focus();
    hide();
  });

  // The picker

  react.addEventListener("click", () => {
    target = entry;
    for (const button of picker.querySelectorAll("[data-emoji]")) {
      button.setAttribute("aria-pressed", String(!!target.reactions?.[button.dataset.emoji]?.includes(room.me?.id)));
    }
    otherEmoji.value = "";
    const from = react.getBoundingClientRect();
    picker.showModal();
    const { width, height } = picker.getBoundingClientRect();
    const left = Math.max(8, Math.min(from.left + from.width / 2 - width / 2, innerWidth - width - 8));
    const above = from.top - height - 8;
    picker.style.setProperty("left", `${left}px`);
    picker.style.setProperty("top", `${above > 8 ? above : Math.min(from.bottom + 8, innerHeight - height - 8)}px`);
  });

  function choose(emoji, byKeys) {
    const on = !target.reactions?.[emoji]?.includes(room.me?.id);
    picker.close();
    if (!byKeys) hide();
    room.react(target.seq, emoji, on).catch(failed);
  }

  picker.addEventListener("click", ({ target: element, detail }) => {
    const button = element.closest("[data-emoji]");
    // A click by keyboard has a count of 0.
    if (button) choose(button.dataset.emoji, detail === 0);
    else if (element === picker) picker.close();
  });
  picker.addEventListener("keydown", (event) => {
    const columns = 6;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const stops = [...picker.querySelectorAll("[data-emoji]")];
    const at = stops.indexOf(refs.active);
    if (!step || at < 0) return;
    event.preventDefault();
    (stops[at + step] ?? (step === columns ? otherEmoji : stops[at])).focus();
  });
  refs.find("picker-form", "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const emoji = otherEmoji.value.trim();
    if (emoji) choose(emoji, hasKeys());
  });

  room.on("log", ({ kind, entry: changed }) => {
    if (changed === entry && (kind === "remove" || changed?.deleted)) hide();
    if (kind === "reset") hide();
  });
  room.on("access", hide);
  room.on("state", ({ name }) => name === "refused" && hide());
  bar.remove();
}
