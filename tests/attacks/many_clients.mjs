// Many of npm's socket.io-client, unmodified and in one process: `node many_clients.mjs URL COUNT`.
// Says each second, as JSON, how many are in, by `nbUsers` of the newest connection, and how often they were refused.
import { io } from "socket.io-client";

const [url, count] = process.argv.slice(2);
let refused = 0;
const sockets = Array.from({ length: Number(count) }, () => {
  const socket = io(url, { forceNew: true, transports: ["websocket"] });
  socket.entered = false;
  socket.on("nbUsers", () => (socket.entered = true));
  socket.on("disconnect", () => (socket.entered = false));
  socket.on("connect_error", () => (refused += socket.active ? 0 : 1));
  return socket;
});
const told = () => ({ here: sockets.filter((socket) => socket.connected && socket.entered).length, refused });
setInterval(() => console.log(JSON.stringify(told())), 200);
