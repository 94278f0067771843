// npm's socket.io-client, told what to do on stdin; says on stdout, a JSON array a line, what it hears.
import { createInterface } from "node:readline";
import { io } from "socket.io-client";

const [url, options] = process.argv.slice(2);
const socket = io(url, { reconnectionDelay: 50, reconnectionDelayMax: 200, ...JSON.parse(options) });
const say = (...words) => console.log(JSON.stringify(words));

socket.on("connect", () => {
  say("(connect)", socket.id, socket.recovered, socket.io.engine.transport.name);
});
socket.io.on("open", () => socket.io.engine.once("upgrade", (transport) => say("(upgrade)", transport.name)));
socket.on("disconnect", (reason) => say("(disconnect)", reason));
socket.on("connect_error", (error) => say("(connect_error)", error.message, error.data ?? null));
socket.onAny((...words) => say(...words));

createInterface({ input: process.stdin }).on("line", (line) => {
  const [verb, ...words] = JSON.parse(line);
  if (verb === "emit") socket.emit(...words);
  else if (verb === "call") socket.emit(...words, (answer) => say("answer", answer));
  else if (verb === "ask") socket.emit(...words.slice(1), (answer) => say("answered", words[0], answer));
  else if (verb === "burst") for (let n = 1; n <= words[1]; n++) socket.emit(words[0], String(n));
  else if (verb === "drop") socket.io.engine.close();
  else if (verb === "connect") socket.connect();
  else if (verb === "close") socket.close();
});
