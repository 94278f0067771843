/** The title of the tab: the number of unread messages in all rooms, and the title of the room that is shown. */

const MAX_COUNT = 99;

/**
 * @param {import("../chat.js").Chat} chat @param {import("./panes.js").Panes} panes
 * @param {string} first the title of the room for which the server made the page
 * @returns {() => void} shows the title again
 */
export function title(chat, panes, first) {
  const template = document.title;

  function show() {
    const { current } = panes;
    const elsewhere = chat.list.rooms.filter(({ name }) => name !== current?.name).reduce((sum, { messages }) => sum + messages, 0);
    const unread = elsewhere + (current ? unreadIn(current.room) : 0);
    // A custom template may have words around the title.
    const plain = first && current?.title ? template.replace(first, () => current.title) : (current?.title ?? template);
    document.title = unread ? `(${unread > MAX_COUNT ? `${MAX_COUNT}+` : unread}) ${plain}` : plain;
  }

  chat.on("rooms", show);
  return show;
}

/** The server's count comes with a delay; the messages are here. */
function unreadIn(room) {
  const { read } = room;
  return read === undefined ? 0 : room.log.entries.filter(({ state, own, seq }) => state === "sent" && !own && seq > read).length;
}
