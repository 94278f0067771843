/**
 * The public entry point: `connect()` opens a room over Socket.IO and keeps it open. Needs no page.
 *
 *     import { connect } from "/chat/client.js";
 *     const room = connect({ room: "lobby" });
 *     room.on("message", ({ author, text }) => console.log(author.name, text));
 *     await room.join("Ada");
 *     await room.say("hi");
 */

import { io } from "../vendor/socket.io.esm.min.js";
import { Connection } from "./connection.js";
import { diagnose } from "./connection-diagnosis.js";
import { Room } from "./room.js";
import { MemoryStorage, browserStorage } from "./storage.js";

export { Refusal } from "./refusal.js";

/** The protocol version of this client. */
const VERSION = 1;

const CLOCK = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * Opens a room. After a lost connection it reconnects as the same member, without losing or repeating a message.
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
  let room;
  const socket = io(base.origin, {
    path: `${base.pathname}socket.io/`,
    // WebSocket first: it is live after one round trip, and works without sticky sessions at a load balancer.
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    auth: (answer) => resolved(token).then((text) => answer({ v: VERSION, room: name, since: room.since, token: text })),
    forceNew: true,
    autoConnect: false,
    reconnection: false,
  });
  const connection = new Connection({ socket, clock: CLOCK, random: () => Math.random(), diagnose: () => diagnose(base, name) });
  room = new Room({
    connection,
    clock: CLOCK,
    storage: remember ? browserStorage() : new MemoryStorage(),
    key: `pychat:${base.href}:${name ?? ""}`,
    name: nickname,
  });
  const reconnect = () => connection.state.name !== "refused" && connection.open();
  globalThis.addEventListener?.("online", reconnect);
  connection.on("state", (state) => state.name === "closed" && globalThis.removeEventListener?.("online", reconnect));
  connection.open();
  return room;
}

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

/** The mount in `<mount>/assets/js/client.js` or `<mount>/assets/<hash>/js/client.js`. */
function mount(address) {
  return /^(.*\/)assets\/(?:[\w.-]+\/)?js\/client\.js/.exec(address)?.[1] ?? new URL(".", address).href;
}
