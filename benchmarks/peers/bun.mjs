// Bun's own server: the room is a topic, and publishing to it is done below JavaScript. Stores nothing.
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch(request, server) {
    const data = { room: new URL(request.url).searchParams.get("room"), pseudo: "" };
    if (!server.upgrade(request, { data })) return new Response("a WebSocket is wanted", { status: 426 });
  },
  websocket: {
    perMessageDeflate: false,
    backpressureLimit: 64 * 1024 * 1024, // with its default it drops messages, which would be no chat
    open: (socket) => void socket.subscribe(socket.data.room),
    message: (socket, text) => {
      const [event, argument] = JSON.parse(text);
      if (event === "setPseudo") {
        socket.data.pseudo = argument;
        socket.send('["pseudoStatus","ok"]');
      } else {
        const said = { date: new Date().toISOString(), pseudo: socket.data.pseudo, message: argument };
        socket.publish(socket.data.room, JSON.stringify(["message", said]));
      }
    },
  },
});
console.log(`http://127.0.0.1:${server.port}`);
