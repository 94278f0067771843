// Node's Socket.IO, relaying as the tutorial did: to everyone else, then the acknowledgement; it stores nothing.
import { Server } from "socket.io";

const io = new Server(0, { perMessageDeflate: false, serveClient: false });
io.on("connection", (socket) => {
  socket.on("setPseudo", (name, ack) => ack?.({ ok: true }));
  socket.on("message", (text, ack) => {
    socket.broadcast.emit("message", { date: new Date().toISOString(), pseudo: socket.id, message: text });
    ack?.({ ok: true });
  });
});
io.httpServer.on("listening", () => console.log(`http://127.0.0.1:${io.httpServer.address().port}`));
