/** The title and the icon of the tab: what is unread in all rooms, and the title of the room that is shown. */

import { preferences } from "../preferences.js";
import { badge } from "./badge.js";

const MAX_COUNT = 99;

/**
 * @param {import("../chat.js").Chat} chat @param {import("./panes.js").Panes} panes
 * @param {string} first the title of the room for which the server made the page
 * @param {(name: string) => string} keyOf a room, in the preferences
 * @returns {() => void} shows the title again
 */
export function title(chat, panes, first, keyOf) {
  const template = document.title;
  const chosen = preferences();
  const showBadge = badge();

  function show() {
    const { current } = panes;
    const counts = chat.list.rooms.filter(({ name }) => name !== current?.name && !chosen.isMuted(keyOf(name)));
    if (current) counts.push({ ...unreadIn(current.room), direct: chat.list.find(current.name)?.direct });
    const unread = counts.reduce((sum, { messages }) => sum + messages, 0);
    const mentions = counts.reduce((sum, { messages, mentions: toMe, direct }) => sum + (direct ? messages : toMe), 0);
    // A custom template may have words around the title.
    const plain = first && current?.title ? template.replace(first, () => current.title) : (current?.title ?? template);
    document.title = unread ? `(${unread > MAX_COUNT ? `${MAX_COUNT}+` : unread}) ${plain}` : plain;
    showBadge({ messages: unread, mentions });
  }

  chat.on("rooms", show);
  chosen.on("change", (key) => key === "muted" && show());
  return show;
}

/** The server's count comes with a delay; the messages are here. */
function unreadIn({ read, me, log }) {
  const unread = read === undefined ? [] : log.entries.filter(({ state, own, seq }) => state === "sent" && !own && seq > read);
  return { messages: unread.length, mentions: unread.filter(({ mentions }) => mentions?.includes(me?.id)).length };
}
