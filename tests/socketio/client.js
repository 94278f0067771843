// Drives npm's socket.io-client against a server: `node client.js URL TRANSPORTS`. Tells what happened, one JSON a line.
"use strict";
const { io } = require("socket.io-client");

const [url, transports] = process.argv.slice(2);
const say = (what, ...rest) => console.log(JSON.stringify([what, ...rest]));
const socket = io(url, {
  path: "/chat/socket.io/",
  transports: transports.split(","),
  auth: { token: "t" },
  reconnectionDelay: 10,
  reconnectionDelayMax: 50,
});

socket.on("connect", () => {
  const engine = socket.io.engine;
  say("connect", socket.id);
  engine.once("upgrade", () => say("upgrade", engine.transport.name));
});
socket.on("connect_error", (problem) => say("connect_error", problem.message));
socket.on("disconnect", (reason) => say("disconnect", reason));
socket.on("n", (number) => say("n", number));
socket.on("ask", (number, answer) => answer(number * 2));
socket.on("bytes", (bytes) => say("bytes", [...bytes]));
socket.on("talk", (count) => {
  for (let number = 0; number < count; number++) {
    socket.emit("say", number, (back) => back === count - 1 && say("acknowledged", back, socket.io.engine.transport.name));
  }
});
socket.on("send-bytes", () => socket.emit("take-bytes", Buffer.from([1, 2, 3]), (back) => say("bytes-back", [...back])));
socket.on("leave", () => {
  socket.disconnect();
  setTimeout(() => process.exit(0), 50);
});
