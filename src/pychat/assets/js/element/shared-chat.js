/** One connection for all badges of a page that belong to the same chat and the same user. It enters no room. */

import { openChat } from "../client.js";

/** @type {Map<string, {chat: import("../chat.js").Chat, token: unknown, users: number}[]>} */
const shared = new Map();

/**
 * Opens a chat, or returns the open one. Call `release` when it is not used any more.
 * @param {URL} base of the mount @param {string | (() => string | Promise<string>) | undefined} token
 * @returns {{chat: import("../chat.js").Chat, release(): void}}
 */
export function acquire(base, token) {
  const all = shared.get(base.href) ?? [];
  shared.set(base.href, all);
  let one = all.find((other) => other.token === token);
  if (!one) {
    one = { chat: openChat({ url: base, token, onlyUnread: true }), token, users: 0 };
    all.push(one);
  }
  one.users += 1;
  return {
    chat: one.chat,
    release() {
      one.users -= 1;
      if (one.users) return;
      all.splice(all.indexOf(one), 1);
      one.chat.close();
    },
  };
}
