/** Where the keyboard is: dialogs give the focus back to the message box, and what is typed anywhere goes there. */

/** Fields that keep what is typed in them. */
const FIELDS = "input, textarea, select, [contenteditable]";

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {{keys: Record<string, () => void>}} options functions for keys that are no text: `?`, and `,` with Control
 */
export function focusRules(refs, { keys }) {
  const box = refs.find("text", "textarea");
  const canWrite = () => box.isConnected && box.checkVisibility() && !box.readOnly;

  const isOpen = () => refs.root.querySelector("dialog[open]");
  /** Whether keys opened the dialog: then the browser gives the focus back to the control, and the keys go on from there. */
  let byKeys = false;

  function clicked({ detail }) {
    if (!isOpen()) byKeys = detail === 0;
  }

  function closed() {
    // A message that was found keeps the focus.
    if (!isOpen() && !(byKeys && refs.active) && !refs.active?.matches(".message") && canWrite() && refs.mayFocus && !refs.active?.matches(FIELDS)) box.focus();
  }

  function typed(event) {
    const { key, keyCode, ctrlKey, metaKey, altKey, target, defaultPrevented } = event;
    if (defaultPrevented || !refs.root.isConnected || isOpen()) return;
    const command = ctrlKey || metaKey;
    const isText = !command && !altKey && ([...key].length === 1 || keyCode === 229);
    const run = keys[command ? `Control+${key}` : key];
    if (run && !altKey && (command || !target.closest?.(FIELDS))) {
      event.preventDefault();
      return run();
    }
    // Space presses buttons and scrolls.
    if ((isText && key !== " ") || (command && key === "v")) if (canWrite() && !target.closest?.(FIELDS)) box.focus();
  }

  // Both reach the listeners of the log first.
  refs.listen(refs.wholePage ? document : refs.root, "keydown", typed);
  refs.listen(refs.root, "click", clicked, { capture: true });
  refs.listen(refs.root, "close", closed, { capture: true });
}
