/** What can be done with a message: a small bar that comes to the one that is pointed at, tapped, or has the focus. */

import { hasKeys } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} others
 * @param {(line: HTMLElement) => import("../log.js").Entry | undefined} others.entryOf
 * @param {{reply(entry: object): void, edit(entry: object): void, complain(text: string): void}} others.composer
 */
export function messageActions(room, refs, { entryOf, composer }) {
  const list = refs.find("messages", "ol");
  const bar = refs.find("message-actions");
  const sure = refs.find("confirm");
  const yes = refs.find("confirm-yes", "button");
  const picker = refs.find("picker", "dialog");
  const other = refs.find("picker-other", "input");
  const [react, reply, edit, remove] = ["action-react", "action-reply", "action-edit", "action-delete"].map((name) => refs.find(name, "button"));
  let line = null;
  let entry = null;
  let target = null;

  function come(to) {
    if (to === line && bar.isConnected) return;
    const next = to && entryOf(to);
    if (!next || next.state !== "sent" || next.deleted || !room.me) return go();
    line = to;
    entry = next;
    ask(false);
    edit.hidden = !entry.own;
    remove.hidden = !mayDelete();
    bar.hidden = false;
    line.querySelector(".bubble").append(bar);
  }

  function go() {
    ask(false);
    line = null;
    entry = null;
    bar.remove();
  }

  const mayDelete = () => !!entry && (entry.own || room.moderates);

  /** Shows the question whether to delete, or what it stands in for. */
  function ask(on) {
    sure.hidden = !on;
    for (const button of [react, reply]) button.hidden = on;
    edit.hidden = on || !entry?.own;
    remove.hidden = on || !mayDelete();
  }

  /** The same for somebody who has the focus there: what has it must not be hidden. */
  function askWithFocus(on) {
    sure.hidden = false;
    remove.hidden = false;
    (on ? yes : remove).focus();
    ask(on);
  }

  // Whoever works by keys keeps the bar, wherever the mouse lies.
  const held = () => picker.open || !!bar.querySelector(":focus-visible");
  const failed = (refusal) => composer.complain(refusal.text);

  list.addEventListener("pointerover", ({ target: at, pointerType }) => {
    if (pointerType === "mouse" && !held() && sure.hidden) come(at.closest(".message"));
  });
  list.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && !held() && !line?.contains(refs.active)) go();
  });
  list.addEventListener("focusin", ({ target: at }) => come(at.closest(".message")));
  list.addEventListener("focusout", ({ relatedTarget }) => {
    if (line && !picker.open && !line.contains(relatedTarget) && !line.matches(":hover")) go();
  });
  list.addEventListener("click", ({ target: at }) => {
    if (!hasKeys() && !at.closest("button, a")) come(at.closest(".message"));
  });
  list.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !bar.isConnected) return;
    const last = line;
    if (sure.hidden) last.focus();
    else askWithFocus(false);
  });

  reply.addEventListener("click", () => {
    composer.reply(entry);
    go();
  });
  edit.addEventListener("click", () => {
    composer.edit(entry);
    go();
  });
  remove.addEventListener("click", () => askWithFocus(true));
  refs.find("confirm-no", "button").addEventListener("click", () => askWithFocus(false));
  yes.addEventListener("click", () => {
    const last = line;
    room.delete(entry.seq).catch(failed);
    last.focus();
    go();
  });

  // The picker

  react.addEventListener("click", () => {
    target = entry;
    for (const button of picker.querySelectorAll("[data-emoji]")) {
      button.setAttribute("aria-pressed", String(!!target.reactions?.[button.dataset.emoji]?.includes(room.me?.id)));
    }
    other.value = "";
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
    if (!byKeys) go();
    room.react(target.seq, emoji, on).catch(failed);
  }

  picker.addEventListener("click", ({ target: at, detail }) => {
    const button = at.closest("[data-emoji]");
    // A click that keys made has no count.
    if (button) choose(button.dataset.emoji, detail === 0);
    else if (at === picker) picker.close();
  });
  picker.addEventListener("keydown", (event) => {
    const columns = 6;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const stops = [...picker.querySelectorAll("[data-emoji]")];
    const at = stops.indexOf(refs.active);
    if (!step || at < 0) return;
    event.preventDefault();
    (stops[at + step] ?? (step === columns ? other : stops[at])).focus();
  });
  refs.find("picker-form", "form").addEventListener("submit", (event) => {
    event.preventDefault();
    const emoji = other.value.trim();
    if (emoji) choose(emoji, hasKeys());
  });

  room.on("log", ({ kind, entry: changed }) => {
    if (changed === entry && (kind === "remove" || changed?.deleted)) go();
    if (kind === "reset") go();
  });
  bar.remove();
}
