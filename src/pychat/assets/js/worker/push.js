/** Push messages in the service worker: shows one as a notification, and opens its message when it is clicked. */

import { action } from "../action.js";

const { scope } = self.registration;

self.addEventListener("push", (event) => event.waitUntil(show(event.data)));
self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.url));
});

/** @param {PushMessageData | null} data */
async function show(data) {
  const { room, title, author, text, seq, direct } = data.json();
  if ((await windows()).some(({ focused }) => focused)) return; // the page shows it
  const url = new URL(`rooms/${encodeURIComponent(room)}#m${Number(seq)}`, scope).href;
  const performed = action(text);
  await self.registration.showNotification(direct ? author : `${author} · ${title}`, {
    body: performed ? `${author} ${performed}` : text,
    data: { url },
    dir: "auto",
    icon: new URL("assets/favicon.svg", scope).href,
    renotify: true,
    tag: `pychat:${scope}:${room}`, // one for each room: a newer message replaces the one before
  });
}

/** Opens an address in a window of the chat that is open, otherwise in a new one. */
async function open(url) {
  const [known] = await windows();
  if (!known) return self.clients.openWindow(url);
  await known.focus();
  return known.navigate(url);
}

async function windows() {
  const all = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  return all.filter((client) => client.url.startsWith(scope));
}
