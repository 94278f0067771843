// Node's Socket.IO as its documentation has it: to everyone else in the room, then the acknowledgement. Stores nothing.
// With "presence" as its argument it tells everyone how many are here at each coming, as the tutorial of 2013 did.
import { Server } from "socket.io";

const presence = process.argv[2] === "presence";
const io = new Server(0, { perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
  const room = socket.handshake.query.room;
  let pseudo = "";
  socket.join(room);
  if (presence) io.emit("nbUsers", { nb: io.engine.clientsCount });
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
