/** What an empty room offers: its address, to be sent to others. */

/** @param {import("../view/parts.js").Parts} parts */
export function share(parts) {
  const form = parts.find("share", "form");
  const field = parts.find("share-address", "input");
  const button = parts.find("share-button", "button");
  const address = new URL(location.href);
  address.hash = "";
  field.value = address.href;
  parts.find("share-note").hidden = !/^(localhost|127\.|\[::1\]|0\.0\.0\.0)/.test(address.hostname);
  field.addEventListener("focus", () => field.select());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      // The clipboard is for https and localhost; selecting and copying works on the local network too.
      field.select();
      document.execCommand("copy");
      button.focus();
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  });
}
