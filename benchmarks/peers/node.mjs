// Node's Socket.IO as its documentation has it: to everyone else in the room, then the acknowledgement. Stores nothing.
// With "presence" as an argument it tells everyone how many are here, gathered to twice a second at most: at each coming, as the
// tutorial of 2013 did, would be O(N²) frames. With "deflate" it compresses for whoever offers that; its default is not to.
import { Server } from "socket.io";

const [presence, perMessageDeflate] = ["presence", "deflate"].map((word) => process.argv.includes(word));
const io = new Server(0, { perMessageDeflate, serveClient: false });
let due;
io.on("connection", (socket) => {
  const room = socket.handshake.query.room;
  let pseudo = "";
  socket.join(room);
  if (presence)
    due ??= setTimeout(() => {
      due = undefined;
      io.emit("nbUsers", { nb: io.engine.clientsCount });
    }, 500);
  socket.on("setPseudo", (name, ack) => {
    pseudo = name;
    socket.emit("pseudoStatus", "ok");
    ack?.({ ok: true });
  });
  socket.on("message", (text, ack) => {
    socket.to(room).emit("message", { date: new Date().toISOString(), pseudo, message: text });
    ack?.({ ok: true });
  });
});
io.httpServer.on("listening", () => console.log(`http://127.0.0.1:${io.httpServer.address().port}`));
