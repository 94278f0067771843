/** The action bar of a message: recent emoji, more emoji, reply, more. It moves to the message that is hovered or focused. */

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {(line: HTMLElement) => import("../log.js").Entry | undefined} options.entryOf
 * @param {(line: HTMLElement) => void} options.focusRow
 * @param {{reply(entry: object): void}} options.composer
 * @param {ReturnType<typeof import("./reaction-picker.js").reactionPicker>} options.picker
 * @param {ReturnType<typeof import("./message-menu.js").messageMenu>} options.more
 */
export function messageActions(room, refs, { entryOf, focusRow, composer, picker, more }) {
  const list = refs.find("messages", "ol");
  const bar = refs.find("message-actions");
  const recent = refs.find("action-recent");
  const [react, reply, rest] = ["react", "reply", "more"].map((name) => refs.find(`action-${name}`, "button"));
  let line = null;
  let entry = null;

  function showAt(to) {
    if (to === line && bar.isConnected) return;
    const next = to && entryOf(to);
    if (!next || !more.has(next)) return hide();
    line = to;
    entry = next;
    const mayReact = !!room.me && room.may("react");
    recent.replaceChildren(...(mayReact ? picker.buttons(entry, 3, "message-action message-emoji") : []));
    react.hidden = !mayReact;
    reply.hidden = !room.me || !room.may("write");
    bar.hidden = false;
    for (const button of bar.querySelectorAll("button")) button.tabIndex = -1;
    line.append(bar);
    flip();
  }

  /** The bar is above the row; if the edge of the view would cut it there, below. */
  function flip() {
    bar.classList.remove("below");
    const view = refs.find("scroll").getBoundingClientRect();
    bar.classList.toggle("below", bar.getBoundingClientRect().top < view.top);
  }

  function hide() {
    const last = line;
    const hadFocus = bar.contains(refs.active);
    line = null;
    entry = null;
    bar.remove();
    if (hadFocus) focusRow(last);
  }

  // A keyboard user keeps the bar, wherever the mouse pointer is.
  const isHeld = () => !!refs.root.querySelector("dialog[open]") || !!bar.querySelector(":focus-visible");

  // Only a move of the mouse: rows that pass below a mouse that rests are not pointed at.
  function pointed({ target, pointerType }) {
    if (pointerType !== "mouse" || line?.contains(target) || isHeld()) return;
    showAt(target.closest(".message"));
  }

  function focused({ target }) {
    if (target.matches(":focus-visible")) showAt(target.closest(".message"));
  }

  list.addEventListener("pointermove", pointed);
  list.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && !isHeld() && !line?.matches(":focus-visible, :has(:focus-visible)")) hide();
  });
  list.addEventListener("focusin", focused);
  list.addEventListener("focusout", ({ relatedTarget }) => {
    if (line && !refs.root.querySelector("dialog[open]") && !line.contains(relatedTarget) && !line.matches(":hover")) hide();
  });

  react.addEventListener("click", () => picker.open(entry, react));
  reply.addEventListener("click", () => {
    composer.reply(entry);
    hide();
  });
  rest.addEventListener("click", () => more.open(entry, rest));

  room.on("log", ({ kind, entry: changed }) => {
    if (changed === entry && (kind === "remove" || changed?.deleted)) hide();
    else if (changed === entry && entry) picker.mark(recent, entry);
    if (kind === "reset") hide();
  });
  room.on("access", hide);
  room.on("state", ({ name }) => name === "refused" && hide());
  bar.remove();

  /** What happened on the log before this was loaded. @param {{type: string, target: Element, pointerType?: string}} event */
  return (event) => (event.type === "focusin" ? focused : pointed)(event);
}
