// uWebSockets, C++ below Node: the room is a topic, and publishing to it is the library's own loop. Stores nothing.
// With "deflate" it compresses each message once for all who offer that; its default is not to.
import uws from "uwebsockets";

const { App, DISABLED, SHARED_COMPRESSOR, us_socket_local_port } = uws;
const deflate = process.argv.includes("deflate");
const text = new TextDecoder();
App()
  .ws("/*", {
    compression: deflate ? SHARED_COMPRESSOR : DISABLED,
    maxBackpressure: 64 * 1024 * 1024, // with its default it drops messages, which would be no chat
    upgrade: (response, request, context) => {
      const header = (name) => request.getHeader(`sec-websocket-${name}`);
      const data = { room: request.getQuery("room"), pseudo: "" };
      response.upgrade(data, header("key"), header("protocol"), header("extensions"), context);
    },
    open: (socket) => void socket.subscribe(socket.getUserData().room),
    message: (socket, bytes) => {
      const data = socket.getUserData();
      const [event, argument] = JSON.parse(text.decode(bytes));
      if (event === "setPseudo") {
        data.pseudo = argument;
        socket.send('["pseudoStatus","ok"]');
      } else {
        const said = { date: new Date().toISOString(), pseudo: data.pseudo, message: argument };
        socket.publish(data.room, JSON.stringify(["message", said]), false, deflate);
      }
    },
  })
  .listen(0, (socket) => console.log(`http://127.0.0.1:${us_socket_local_port(socket)}`));
