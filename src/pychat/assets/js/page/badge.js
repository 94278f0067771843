/** A dot on the icon of the tab while something is unread, and a number on the icon of an installed app. */

/** @returns {(unread: {messages: number, mentions: number}) => void} shows what is unread */
export function badge() {
  const link = document.querySelector("link[rel~='icon']");
  const plain = link?.href;
  let shown = "";

  return async ({ messages, mentions }) => {
    if (messages) navigator.setAppBadge?.(messages).catch(() => {});
    else navigator.clearAppBadge?.().catch(() => {});
    const kind = mentions ? "mentions" : messages ? "messages" : "";
    if (!link || kind === shown) return;
    shown = kind;
    if (!kind) return void (link.href = plain);
    try {
      const { dotted } = await import("./dotted-icon.js");
      const drawn = await dotted(plain, kind);
      if (shown === kind) link.href = drawn;
    } catch {
      // The icon is not ours to draw on.
    }
  };
}
