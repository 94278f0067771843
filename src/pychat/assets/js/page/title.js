/** Shows the number of unread messages in the tab's title while the tab is hidden. */

/** @param {import("../room.js").Room} room */
export function title(room) {
  const plain = document.title;
  let unread = 0;
  const show = () => {
    document.title = unread ? `(${unread}) ${plain}` : plain;
  };
  room.on("message", ({ author }) => {
    if (!document.hidden || author.id === room.me?.id) return;
    unread += 1;
    show();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    unread = 0;
    show();
  });
}
