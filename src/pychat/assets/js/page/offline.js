/**
 * What the page has without a network: the service worker that keeps the page, and the last messages of the rooms that
 * were shown. They belong to one person: whoever else comes finds nothing of them.
 */

/** Messages of one room. */
const MAX_MESSAGES = 50;
const MAX_ROOMS = 10;
/** Characters in the storage, which unsent messages need too. */
const MAX_SIZE = 300_000;
/** Milliseconds. */
const MAX_AGE = 7 * 24 * 3600 * 1000;

/** Starts the service worker of the mount, or ends it. @param {URL} base @param {boolean} on */
export async function worker(base, on) {
  const { serviceWorker } = navigator;
  // Only secure pages have it, and a browser may forbid it.
  if (!serviceWorker) return;
  try {
    if (on) return void (await serviceWorker.register(new URL("worker.js", base), { scope: base.pathname, updateViaCache: "none" }));
    const running = await serviceWorker.getRegistration(base.href);
    if (running?.scope !== base.href) return;
    await running.unregister();
    for (const name of await caches.keys()) if (name.startsWith(`pychat:${base.href}:`)) await caches.delete(name);
  } catch {
    // The page does without.
  }
}

/**
 * Keeps the last messages of rooms, and shows them until there is a connection.
 * @param {import("../chat.js").Chat} chat @param {import("./panes.js").Panes} panes
 * @param {object} options
 * @param {Storage} options.storage @param {string} options.key in the storage
 * @param {boolean} options.on `false` removes what was kept
 * @param {(names: string[]) => void} options.away called with the rooms of which messages are kept when the server cannot be reached
 * @param {() => void} options.recalled called when messages are shown
 */
export function keptMessages(chat, panes, { storage, key, on, away, recalled }) {
  /** The id of the person whom the server knows on this connection. @type {string | undefined} */
  let owner;

  /** @returns {{owner?: string, rooms: Record<string, {title: string, at: number, epoch: string, messages: object[]}>}} */
  function read() {
    try {
      return JSON.parse(storage.getItem(key)) ?? { rooms: {} };
    } catch {
      return { rooms: {} };
    }
  }

  function save() {
    if (!owner || owner !== chat.id) return;
    const { rooms } = read();
    for (const { name, room, title } of panes.all) {
      if (room.state.name === "refused") delete rooms[name];
      else if (room.since) rooms[name] = { title, at: Date.now(), epoch: room.since.epoch, messages: room.messages.slice(-MAX_MESSAGES) };
    }
    const newest = Object.entries(rooms).sort(([, a], [, b]) => b.at - a.at).slice(0, MAX_ROOMS);
    let text;
    do text = JSON.stringify({ owner, rooms: Object.fromEntries(newest) });
    while (text.length > MAX_SIZE && newest.pop());
    storage.setItem(key, text);
  }

  const fresh = () => Object.entries(read().rooms).filter(([, { at }]) => Date.now() - at < MAX_AGE);

  function recall() {
    const kept = Object.fromEntries(fresh());
    for (const pane of panes.all) {
      if (!kept[pane.name] || pane.room.log.entries.some(({ state }) => state === "sent")) continue;
      const { title, epoch, messages } = kept[pane.name];
      if (pane.room.recall(messages, epoch)) pane.entitle(title);
    }
    recalled();
  }

  /** The server was asked, and did not answer. */
  const isAway = () => !owner && chat.state.name === "connecting" && chat.state.retryAt !== undefined;

  chat.on("state", ({ name }) => {
    if (name === "live") {
      owner = chat.id;
      if (read().owner !== owner) storage.removeItem(key);
    }
    if (name === "refused") storage.removeItem(key);
    if (!on || !isAway()) return;
    away(fresh().map(([room]) => room));
    recall();
  });
  if (on) {
    addEventListener("pagehide", save);
    document.addEventListener("visibilitychange", () => document.hidden && save());
  } else storage.removeItem(key);
  /** A room was opened. */
  return () => on && isAway() && recall();
}
