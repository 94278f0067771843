/**
 * The way in: `connect()` opens a room over Socket.IO and keeps it open. No page needed.
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

/** The version of the wire that this client speaks. */
const VERSION = 1;

const CLOCK = {
  now: () => Date.now(),
  setTimeout: (f, ms) => setTimeout(f, ms),
  clearTimeout: (timer) => clearTimeout(timer),
};

/**
 * Opens a room, and comes back by itself after a drop, as the same person and without losing or repeating a message.
 * @param {object} [options]
 * @param {string | URL} [options.url] where pychat is mounted, such as `/chat/`; by default, where this file came from
 * @param {string} [options.room] its name; by default the server's first room
 * @param {string} [options.name] the nickname to take at first, without anybody being asked
 * @param {string | (() => string | Promise<string>)} [options.token] what `authenticate` of the application is given as
 *   `request.bearer`; a function is asked for each connection
 * @param {boolean} [options.remember] keep the name and unsent messages in the browser's storage, so that a reload
 *   finds them; `true` by default
 * @returns {Room}
 */
export function connect({ url, room: name, name: nickname, token, remember = true } = {}) {
  const base = mounted(url);
  let room;
  const socket = io(base.origin, {
    path: `${base.pathname}socket.io/`,
    // WebSocket first: live after one round trip, and no need that a load balancer keeps a client at one server.
    transports: ["websocket", "polling"],
    tryAllTransports: true,
    auth: (answer) => bearer(token).then((given) => answer({ v: VERSION, room: name, since: room.since, token: given })),
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
  const back = () => connection.state.name !== "refused" && connection.open();
  globalThis.addEventListener?.("online", back);
  connection.on("state", (state) => state.name === "closed" && globalThis.removeEventListener?.("online", back));
  connection.open();
  return room;
}

/** A login that cannot be had is reported, and the server says what it thinks of people without one. */
async function bearer(token) {
  try {
    return typeof token === "function" ? await token() : token;
  } catch (error) {
    globalThis.reportError?.(error);
    return undefined;
  }
}

/**
 * The address of a mount, with the slash that belongs there.
 * @param {string | URL} [url] by default, where this file came from
 * @returns {URL}
 */
export function mounted(url = mount(import.meta.url)) {
  const base = new URL(url, globalThis.location?.href);
  base.search = "";
  base.hash = "";
  if (!base.pathname.endsWith("/")) base.pathname += "/";
  return base;
}

/** `<mount>/assets/js/client.js`, or the same with a hash between: `<mount>/`. */
function mount(address) {
  return /^(.*\/)assets\/(?:[\w.-]+\/)?js\/client\.js/.exec(address)?.[1] ?? new URL(".", address).href;
}
