import assert from "node:assert/strict";
import test from "node:test";
import { Chat } from "../../src/pychat/assets/js/chat.js";
import { Connection } from "../../src/pychat/assets/js/connection.js";
import { MemoryStorage } from "../../src/pychat/assets/js/storage.js";
import { FakeClock, FakeSocket, settled } from "./fakes.mjs";

const DATE = "2026-01-31T12:00:00.000Z";
const BEN = { id: "b", name: "Ben" };

/** A chat, and a server that lets everyone into every room, and stores what is said from seq 1 on. */
function made({ storage = new MemoryStorage(), followed = [], listed = [], positions = {} } = {}) {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  socket.limit = clock.setTimeout;
  const connection = new Connection({ socket, clock, random: () => 0.5 });
  const chat = new Chat({ connection, clock, random: () => 0.5, storage, key: "k:" });
  const refused = {};
  const entered = (room, since) =>
    socket.fire("entered", {
      room, title: room.toUpperCase(), epoch: "e1", seq: since?.seq ?? positions[room] ?? 0, recovered: !!since, here: 1, members: [], listed: true,
      messages: [], limits: { name: 32, text: 2000 },
    });
  socket.answer = (name, data) => {
    if (name === "enter") {
      const rooms = {};
      for (const { name: room, since } of data.rooms) {
        if (refused[room]) rooms[room] = { ok: false, error: refused[room] };
        else {
          entered(room, since);
          rooms[room] = { ok: true };
        }
      }
      return { ok: true, rooms };
    }
    if (name === "join") return { ok: true, member: { id: "p1", name: data.name } };
    if (name === "unread") return { ok: true, rooms: followed };
    if (name === "rooms") return { ok: true, rooms: listed, more: false };
    if (name === "direct") return { ok: true, room: "direct-1" };
    if (name === "say") return { ok: true, id: data.id, seq: 1, date: DATE };
    return { ok: true };
  };
  const live = (welcome = {}) => {
    socket.connected = true;
    socket.fire("connect");
    socket.fire("welcome", { v: 2, id: "p1", token: "p1.t", limits: { rooms: 1000 }, ...welcome });
    return settled();
  };
  connection.open();
  return { socket, clock, connection, chat, live, refused, entered, storage };
}

const message = (room, seq, text) => ({ room, id: `m${seq}`, seq, date: DATE, author: BEN, text });

test("all rooms are entered with one command, and each gets its own events", async () => {
  const { socket, chat, live } = made();
  const [a, b] = [chat.enter("a"), chat.enter("b")];
  assert.equal(chat.enter("a"), a);
  await live();
  assert.deepEqual(socket.said("enter"), [{ rooms: [{ name: "a" }, { name: "b" }] }]);
  assert.deepEqual([a.state.name, b.state.name, a.about], ["live", "live", { name: "a", title: "A" }]);
  socket.fire("message", message("b", 1, "hi"));
  assert.deepEqual([a.messages.length, b.messages.map(({ text }) => text)], [0, ["hi"]]);
  chat.enter("c");
  chat.enter("d");
  await settled();
  assert.deepEqual(socket.said("enter")[1], { rooms: [{ name: "c" }, { name: "d" }] });
});

test("commands name their room, and one name serves in all rooms", async () => {
  const { socket, chat, live } = made();
  const [a, b] = [chat.enter("a"), chat.enter("b")];
  await live();
  await a.join("Ada");
  await b.join("Ada");
  await a.say("hi");
  assert.equal(socket.said("say")[0].room, "a");
  await a.join("Countess");
  await settled();
  assert.deepEqual(socket.said("join").map(({ room, name }) => `${room} ${name}`), ["a Ada", "b Ada", "a Countess", "b Countess"]);
  const c = chat.enter("c");
  await settled();
  assert.deepEqual(c.me, { id: "p1", name: "Countess" });
  assert.equal(socket.said("join").some((data) => "token" in data), false);
});

test("after a drop all rooms are recovered with one command, from where each was", async () => {
  const { socket, chat, live, clock } = made();
  const [a, b] = [chat.enter("a"), chat.enter("b")];
  await live();
  socket.fire("message", message("b", 1, "hi"));
  socket.drop();
  assert.deepEqual([a.state.name, b.state.name], ["reconnecting", "reconnecting"]);
  await clock.pass(2000);
  await live();
  const [, again] = socket.said("enter");
  assert.deepEqual(again, { rooms: [{ name: "a", since: { epoch: "e1", seq: 0 } }, { name: "b", since: { epoch: "e1", seq: 1, id: "m1" } }] });
  assert.deepEqual([a.state.name, b.state.name, b.messages.length], ["live", "live", 1]);
});

test("a room that is refused or ended leaves the others alone, and stays out until it is asked for again", async () => {
  const { socket, chat, live, refused, clock } = made();
  refused.secret = { code: "unknown_room", text: "There is no such room." };
  const [a, secret] = [chat.enter("a"), chat.enter("secret")];
  await live();
  assert.deepEqual([a.state.name, secret.state], ["live", { name: "refused", text: "There is no such room.", code: "unknown_room" }]);
  await assert.rejects(secret.join("Ada"), { code: "offline" });
  socket.fire("exited", { room: "a", code: 4012, reason: "no_access", reconnect: false, text: "You may not read this room any more." });
  assert.deepEqual([a.state.name, a.state.code], ["refused", "no_access"]);
  socket.drop();
  await clock.pass(2000);
  await live();
  assert.equal(socket.said("enter").length, 1);
  delete refused.secret;
  secret.reconnect();
  await settled();
  assert.deepEqual([secret.state.name, socket.said("enter").length], ["live", 2]);
});

test("a room that was ended for now is entered again after a while", async () => {
  const { socket, chat, live, refused, clock } = made();
  const [a, b] = [chat.enter("a"), chat.enter("b")];
  refused.b = { code: "unavailable", text: "The store is away.", retry_after: 4 };
  await live();
  socket.fire("exited", { room: "a", code: 4008, reason: "slow", reconnect: true, text: "Too slow." });
  assert.deepEqual([a.state.name, a.state.text, b.state.name], ["reconnecting", "Too slow.", "connecting"]);
  await clock.pass(2000);
  assert.equal(a.state.name, "live");
  delete refused.b;
  await clock.pass(5000);
  assert.equal(b.state.name, "live");
});

test("who is sent out of one room with words is told these", async () => {
  const { socket, chat, live } = made();
  const room = chat.enter("a");
  await live();
  socket.fire("error", { room: "a", code: "kicked", text: "Mind your words." });
  socket.fire("exited", { room: "a", code: 4003, reason: "kicked", reconnect: false, text: "You were removed." });
  assert.deepEqual([room.state.name, room.state.text, chat.state.name], ["refused", "Mind your words.", "live"]);
});

test("a closed room is left, and may be entered anew", async () => {
  const { socket, chat, live } = made();
  const room = chat.enter("a");
  await live();
  room.close();
  assert.deepEqual([room.state.name, chat.rooms, socket.said("exit")], ["closed", [], [{ room: "a" }]]);
  assert.notEqual(chat.enter("a"), room);
  await settled();
  assert.equal(chat.rooms[0].state.name, "live");
});

test("a guest keeps the token of the first welcome; a page of version 1 brings its name", async () => {
  const { chat, live, storage } = made();
  await live();
  assert.equal(chat.token, "p1.t");
  await live({ token: undefined });
  assert.equal(made({ storage }).chat.token, "p1.t");
  const old = new MemoryStorage();
  old.setItem("k:a:me", JSON.stringify({ id: "x", name: "Ada", token: "x.t" }));
  const later = made({ storage: old });
  const room = later.chat.enter("a");
  assert.equal(later.chat.token, "x.t");
  await later.live();
  assert.deepEqual([room.me, later.chat.token], [{ id: "p1", name: "Ada" }, "p1.t"]);
});

test("the list has the rooms that are followed, listed or entered, and follows what the server tells", async () => {
  const followed = [{ name: "a", title: "Room A", seq: 3, messages: 2, mentions: 1 }, { name: "d", title: "Ben", seq: 0, messages: 0, mentions: 0, direct: [BEN] }];
  const { socket, chat, live } = made({ followed, listed: [{ name: "a", title: "Room A", here: 1 }, { name: "open", title: "Open" }] });
  chat.enter("hidden");
  await live();
  const shown = () => chat.list.rooms.map(({ name, messages, mentions }) => `${name} ${messages} ${mentions}`).sort();
  assert.deepEqual(shown(), ["a 2 1", "d 0 0", "hidden 0 0", "open 0 0"]);
  socket.fire("unread", { rooms: [{ name: "d", title: "Ben", seq: 0, messages: 4, mentions: 0 }, { name: "a", gone: true }, { name: "new", title: "New", seq: 0, messages: 1, mentions: 0 }] });
  assert.deepEqual(shown(), ["d 4 0", "hidden 0 0", "new 1 0", "open 0 0"]);
  assert.deepEqual(chat.list.find("d").direct, [BEN]);
  socket.fire("exited", { room: "hidden", code: 4013, reason: "deleted", reconnect: false, text: "Deleted." });
  assert.deepEqual(shown(), ["d 4 0", "new 1 0", "open 0 0"]);
});

test("reading goes on where the server says, only forward, and is told once a second", async () => {
  const { socket, chat, live, clock } = made({ followed: [{ name: "a", title: "A", seq: 5, messages: 3, mentions: 0 }], positions: { a: 8 } });
  const room = chat.enter("a");
  await live();
  assert.equal(room.read, 5);
  room.markRead(6);
  room.markRead(7);
  room.markRead(3);
  assert.equal(room.read, 7);
  assert.deepEqual(socket.said("read"), [{ room: "a", seq: 6 }]);
  await clock.pass(1000);
  assert.deepEqual(socket.said("read").at(-1), { room: "a", seq: 7 });
  assert.equal(chat.list.find("a").messages, 3);
  room.markRead(8);
  assert.equal(chat.list.find("a").messages, 0);
});

test("what was read while the connection was away is told when it is back", async () => {
  const { socket, chat, live, clock } = made({ followed: [{ name: "a", title: "A", seq: 5, messages: 3, mentions: 0 }], positions: { a: 8 } });
  const room = chat.enter("a");
  await live();
  socket.drop();
  room.markRead(8);
  assert.deepEqual(socket.said("read"), []);
  await clock.pass(2000);
  await live();
  await clock.pass(1000);
  assert.deepEqual(socket.said("read"), [{ room: "a", seq: 8 }]);
});

test("what a person may do is known on entering, and changes", async () => {
  const { socket, chat, live } = made();
  const room = chat.enter("a");
  await live();
  assert.deepEqual(["write", "moderate"].map((permission) => room.may(permission)), [true, false]);
  const heard = [];
  room.on("access", (access) => heard.push(access));
  socket.fire("access", { room: "a", access: ["read"] });
  assert.deepEqual(["read", "write", "moderate"].map((permission) => room.may(permission)), [true, false, false]);
  socket.fire("access", { room: "a", access: ["read", "write", "react", "upload", "moderate"] });
  assert.deepEqual([room.may("write"), room.moderates, heard.length], [true, true, 2]);
});

test("a whisper stands in the log after the newest message, and nowhere else", async () => {
  const { socket, chat, live } = made();
  const room = chat.enter("a");
  await live();
  await room.join("Ada");
  socket.fire("message", message("a", 1, "hi"));
  for (const text of ["psst", "psst, sent again after a drop"]) {
    socket.fire("whisper", { room: "a", id: "w", date: DATE, author: { id: "bot", name: "Bot" }, text });
  }
  socket.fire("message", message("a", 2, "there"));
  assert.deepEqual(room.log.entries.map(({ text, state }) => `${text}:${state}`), ["hi:sent", "psst:whisper", "there:sent"]);
  assert.deepEqual(room.messages.map(({ text }) => text), ["hi", "there"]);
  await room.join("Countess");
  assert.equal(room.log.entries[1].author.name, "Bot");
  const again = { room: "a", date: DATE, author: { id: "bot", name: "Bot" } };
  socket.fire("whisper", { ...again, id: "w", text: "psst" });
  socket.fire("whisper", { ...again, id: "old", date: "2026-01-30T12:00:00.000Z", text: "earlier" });
  assert.deepEqual(room.log.entries.map(({ text }) => text), ["earlier", "hi", "psst", "there"]);
});

test("a direct room is asked for by the people in it, and a person can be blocked", async () => {
  const { socket, chat, live } = made();
  await live({ blocked: ["c"] });
  assert.equal(await chat.direct("b"), "direct-1");
  assert.deepEqual(socket.said("direct"), [{ with: ["b"] }]);
  await chat.block("b");
  assert.deepEqual([...chat.blocked], ["c", "b"]);
  await chat.block("c", false);
  assert.deepEqual([[...chat.blocked], socket.said("block")], [["b"], [{ member: "b", on: true }, { member: "c", on: false }]]);
});

test("with another token, the rooms that were refused are entered again, on one new connection", async () => {
  const { socket, chat, live, refused } = made();
  const room = chat.enter("a");
  refused.a = { code: "entry_required", text: "Not yet." };
  await live();
  assert.equal(room.state.name, "refused");
  const { attempts } = socket;
  chat.become("p1.t");
  assert.equal(socket.attempts, attempts, "the token is the same");
  delete refused.a;
  chat.become("p2.t");
  assert.equal(room.state.name, "connecting");
  assert.equal(socket.attempts, attempts + 1);
  await live({ id: "p2", token: "p2.t" });
  assert.equal(room.state.name, "live");
  assert.equal(chat.token, "p2.t");
});
