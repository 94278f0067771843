/** What is typed anywhere in the view goes to the message box. */

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {() => void} focus takes the user to the message box
 */
export function typingAnywhere(refs, focus) {
  refs.listen(refs.wholePage ? document : refs.root, "keydown", (event) => {
    const { key, ctrlKey, metaKey, altKey, isComposing, defaultPrevented } = event;
    // A space scrolls or presses a button; a slash and a question mark are shortcuts.
    if ([...key].length !== 1 || " /?".includes(key) || ctrlKey || metaKey || altKey || isComposing || defaultPrevented) return;
    const target = event.composedPath()[0];
    if (!refs.root.isConnected || target.closest?.("input, textarea, select, dialog, [contenteditable]") || refs.root.querySelector("dialog[open]")) return;
    focus();
  });
}
