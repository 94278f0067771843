/**
 * The public entry point: `connect()` opens a room over Socket.IO and keeps it open. Needs no page.
 *
 *     import { connect } from "/chat/client.js";
 *     const room = connect({ room: "lobby" });
 *     room.on("message", ({ author, text }) => console.log(author.name, text));
 *     await room.join("Ada");
 *     await room.say("hi");
 *
 * `openChat()` opens a connection for many rooms, with `chat.enter(name)` for each.
 */

import { io } from "../vendor/socket.io.esm.min.js";
import { Chat } from "./chat.js";
import { Connection } from "./connection.js";
import { diagnose } from "./connection-diagnosis.js";
import { Identity } from "./identity.js";
import { Room } from "./room.js";
import { MemoryStorage, browserStorage } from "./storage.js";

export { Refusal } from "./refusal.js";

const CLOCK = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * Opens a room on a connection of its own. After a lost connection it reconnects as the same member, without losing or
 * repeating a message.
 * @param {object} [options]
 * @param {string | URL} [options.url] where pychat is mounted, such as `/chat/`; by default, the mount that served this file
 * @param {string} [options.room] the name of the room; by default, the server's first room
 * @param {string} [options.name] the nickname to take first, without asking the user
 * @param {string | (() => string | Promise<string>)} [options.token] the application's `authenticate` gets it as
 *   `request.bearer`; a function is called for each connection
 * @param {boolean} [options.remember] keep the name and unsent messages in the browser's storage over reloads;
 *   `true` by default
 * @returns {Room}
 */
export function connect({ url, room: name, name: nickname, token, remember = true } = {}) {
  const base = mounted(url);
  const auth = async () => ({ v: 1, room: name, since: room.since, token: (await resolved(token)) ?? identity.shownToken });
  const connection = connectionTo(base, auth, () => diagnose(base, name));
  const key = `pychat:${base.href}:${name ?? ""}`;
  const kept = storage(remember);
  const identity = new Identity(kept, `${key}:me`);
  const room = new Room({ connection, clock: CLOCK, storage: kept, key, name: nickname, identity });
  connection.open();
  return room;
}

/**
 * Opens a connection for many rooms; enter them with `chat.enter(name)`.
 * @param {object} [options] `url`, `name`, `token` and `remember` as for `connect`
 * @param {boolean} [options.onlyUnread] `chat.list` has only the rooms that the user follows, not those that the server lists
 * @returns {Chat}
 */
export function openChat({ url, name, token, remember = true, onlyUnread = false } = {}) {
  const base = mounted(url);
  const auth = async () => ({ v: 2, token: (await resolved(token)) ?? chat.token });
  const connection = connectionTo(base, auth, async () => {
    const refusal = await diagnose(base);
    // Not of the connection: a chat needs no first room.
    return refusal?.code === "unknown_room" ? undefined : refusal;
  });
  const chat = new Chat({ connection, clock: CLOCK, random: () => Math.random(), storage: storage(remember), key: `pychat:${base.href}:`, name, onlyUnread });
  connection.open();
  return chat;
}

function connectionTo(base, auth, diagnosis) {
  const socket = io(base.origin, {
    path: `${base.pathname}socket.io/`,
    // WebSocket first: it is live after one round trip, and works without sticky sessions at a load balancer.
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    auth: (answer) => auth().then(answer),
    forceNew: true,
    autoConnect: false,
    reconnection: false,
  });
  const connection = new Connection({ socket, clock: CLOCK, random: () => Math.random(), diagnose: diagnosis });
  const reconnect = () => connection.state.name !== "refused" && connection.open();
  globalThis.addEventListener?.("online", reconnect);
  connection.on("state", (state) => state.name === "closed" && globalThis.removeEventListener?.("online", reconnect));
  return connection;
}

const storage = (remember) => (remember ? browserStorage() : new MemoryStorage());

/** The token, if any. An error is reported, and the client connects without a token: the server decides. */
async function resolved(token) {
  try {
    return typeof token === "function" ? await token() : token;
  } catch (error) {
    globalThis.reportError?.(error);
    return undefined;
  }
}

/**
 * The URL of a mount, with a slash at its end.
 * @param {string | URL} [url] by default, the mount that served this file
 * @returns {URL}
 */
export function mounted(url = mount(import.meta.url)) {
  const base = new URL(url, globalThis.location?.href);
  base.search = "";
  base.hash = "";
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/** The mount in `<mount>/assets/js/client.js` or `<mount>/assets/<hash>/js/parts/….js`. */
function mount(address) {
  return /^(.*\/)assets\/(?:[\w.-]+\/)?js\/(?:client|parts\/[\w-]+)\.js/.exec(address)?.[1] ?? new URL(".", address).href;
}
