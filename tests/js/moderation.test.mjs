// What moderators do to a room, and to the user in it.

import assert from "node:assert/strict";
import test from "node:test";
import { Chat } from "../../src/pychat/assets/js/chat.js";
import { Connection } from "../../src/pychat/assets/js/connection.js";
import { Room } from "../../src/pychat/assets/js/room.js";
import { MemoryStorage } from "../../src/pychat/assets/js/storage.js";
import { FakeClock, FakeSocket, settled } from "./fakes.mjs";

const DATE = "2026-01-31T12:00:00.000Z";

function made({ storage = new MemoryStorage(), welcome = {} } = {}) {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  const connection = new Connection({ socket, clock, random: () => 0.5 });
  const room = new Room({ connection, clock, storage, key: "k", name: "Ada" });
  const answers = { join: () => ({ ok: true, member: { id: "a", name: "Ada" }, token: "t" }) };
  socket.answer = (name, data) => answers[name]?.(data) ?? { ok: true };
  const heard = [];
  for (const event of ["room", "access", "queue", "held"]) room.on(event, (told) => heard.push([event, told]));
  connection.open();
  socket.welcome(welcome);
  return { socket, clock, connection, room, answers, heard, storage };
}

test("a room without settings of moderators has the usual ones", () => {
  const { room } = made();
  const { topic, slow, writing, entry, pinned, role, muted, queue } = room;
  assert.deepEqual(
    { topic, slow, writing, entry, pinned, role, muted, queue },
    { topic: "", slow: 0, writing: "all", entry: "open", pinned: [], role: "guest", muted: null, queue: null },
  );
});

test("the settings are those of the welcome, then those of the event", () => {
  const pinned = [{ seq: 3, author: "Ben", text: "Rules" }];
  const { room, socket, heard } = made({ welcome: { topic: "Tea", slow: 10, role: "member", muted: { until: DATE, reason: "Caps" } } });
  assert.deepEqual([room.topic, room.slow, room.role, room.muted], ["Tea", 10, "member", { until: DATE, reason: "Caps" }]);
  socket.fire("room", { title: "Den", topic: "Coffee", slow: 0, writing: "members", entry: "ask", pinned });
  assert.deepEqual([room.about, room.topic, room.slow, room.writing, room.entry, room.pinned], [
    { name: "lobby", title: "Den" }, "Coffee", 0, "members", "ask", pinned,
  ]);
  assert.deepEqual(heard.map(([event]) => event), ["room"]);
});

test("the user hears what they may do now, their role and a mute; a moderator who is one no more has no queue", () => {
  const { room, socket, heard } = made({ welcome: { role: "moderator", access: ["read", "write", "moderate"], queue: { reports: 1, held: 0, asking: 0 } } });
  assert.deepEqual([room.role, room.may("moderate"), room.queue], ["moderator", true, { reports: 1, held: 0, asking: 0 }]);
  socket.fire("queue", { reports: 2, held: 1, asking: 0 });
  assert.deepEqual(room.queue, { reports: 2, held: 1, asking: 0 });
  socket.fire("access", { access: ["read"], muted: { reason: "Caps" } });
  assert.deepEqual([room.role, room.may("moderate"), room.may("write"), room.muted, room.queue], ["guest", false, false, { reason: "Caps" }, null]);
  assert.deepEqual(heard.map(([event]) => event), ["queue", "access"]);
});

test("moderators ask with one command for each thing, and the promise has the answer", async () => {
  const { room, socket, answers } = made();
  answers.moderate = ({ action }) => (action === "ban" ? { ok: false, error: { code: "forbidden", text: "No." } } : { ok: true, token: "inv" });
  answers.audit = () => ({ ok: true, entries: [{ number: 1 }], more: false });
  assert.deepEqual(await room.moderate({ action: "invite", uses: 1 }), { token: "inv" });
  await assert.rejects(room.moderate({ action: "ban", member: "b" }), { code: "forbidden" });
  assert.deepEqual(await room.audit(7), { entries: [{ number: 1 }], more: false });
  await room.audit();
  await room.moderation();
  await room.report(4, "Spam");
  await room.report(5);
  assert.deepEqual(socket.sent.filter(([name]) => name !== "join"), [
    ["moderate", { action: "invite", uses: 1 }], ["moderate", { action: "ban", member: "b" }],
    ["audit", { before: 7 }], ["audit", {}], ["moderation", {}], ["report", { target: 4, reason: "Spam" }], ["report", { target: 5 }],
  ]);
});

for (const [code, reason] of [["banned", "banned"], ["room_closed", "closed"], ["challenge_required", "entry_required"], ["kicked", "kicked"]]) {
  test(`who is put out with ${code} is told why and until when, and does not come back`, async () => {
    const { socket, clock, connection } = made();
    socket.fire("error", { code, text: "Ben has done this.", until: DATE });
    socket.fire("bye", { code: 4014, reason, reconnect: false, text: "Out." });
    assert.deepEqual(connection.state, { name: "refused", text: "Ben has done this.", code, until: DATE });
    await clock.pass(1_000_000);
    assert.equal(socket.attempts, 1);
  });
}

test("who is refused at the door is told by the end itself; an earlier error says nothing about it", () => {
  const { socket, connection } = made();
  socket.fire("error", { code: "banned", text: "An old one." });
  socket.fire("bye", { code: 4015, reason: "entry_required", reconnect: false, text: "Password.", error: { code: "entry_required", text: "A password is needed." } });
  assert.deepEqual(connection.state, { name: "refused", text: "A password is needed.", code: "entry_required" });
  connection.open();
  socket.welcome();
  socket.fire("error", { code: "banned", text: "An old one." });
  socket.fire("bye", { code: 4018, reason: "login_ended", reconnect: false, text: "Your login has ended." });
  assert.deepEqual(connection.state, { name: "refused", text: "Your login has ended.", code: "login_ended" });
});

test("an end whose reason is a name of every object is an end like others", () => {
  for (const name of ["__proto__", "constructor", "toString"]) {
    const { socket, connection } = made();
    socket.fire("error", { code: name, text: "x" });
    socket.fire("bye", { code: 4008, reason: name, reconnect: false, text: "Out." });
    assert.deepEqual([connection.state.name, connection.state.text], ["refused", "Out."]);
  }
});

test("who was closed for flooding comes back after the time that the server asks for", async () => {
  const { socket, clock } = made();
  socket.fire("bye", { code: 4017, reason: "flooding", reconnect: true, text: "Too much.", retry_after: 30 });
  await clock.pass(29_000);
  assert.equal(socket.attempts, 1);
  await clock.pass(17_000);
  assert.equal(socket.attempts, 2);
});

test("a held message waits for a moderator, is not sent again, and stands at its place when it is approved", async () => {
  const { room, socket, clock, answers } = made();
  await settled();
  answers.say = ({ id }) => ({ ok: true, held: true, id });
  const { id, held } = await room.say("a link");
  assert.equal(held, true);
  assert.deepEqual(room.log.entries.map(({ state }) => state), ["held"]);
  socket.drop();
  await clock.pass(3000);
  socket.welcome();
  await settled();
  assert.equal(socket.said("say").length, 1);
  socket.fire("held", { id, state: "approved" });
  socket.fire("message", { id, seq: 1, date: DATE, author: { id: "a", name: "Ada" }, text: "a link" });
  assert.deepEqual(room.log.entries.map(({ state, seq }) => [state, seq]), [["sent", 1]]);
});

test("a rejected message is shown with the reason, after a reload too", async () => {
  const storage = new MemoryStorage();
  const { room, socket, answers, heard } = made({ storage });
  await settled();
  answers.say = ({ id }) => ({ ok: true, held: true, id });
  const { id } = await room.say("a link");
  const later = made({ storage }).room;
  assert.deepEqual(later.log.entries.map(({ state }) => state), ["held"]);
  socket.fire("held", { id, state: "rejected", reason: "No links." });
  socket.fire("held", { id: "unknown", state: "rejected" });
  assert.deepEqual(room.log.entries.map(({ state, error }) => [state, error.text]), [["failed", "No links."]]);
  assert.deepEqual(heard.map(([event]) => event), ["held", "held"]);
  const last = made({ storage }).room;
  assert.deepEqual(last.log.entries.map(({ state }) => state), ["failed"]);
});

test("in slow mode a message waits, and is sent when the time is over", async () => {
  const { room, socket, clock, answers } = made();
  await settled();
  answers.say = ({ id }) =>
    socket.said("say").length === 1 ? { ok: false, error: { code: "slow_mode", text: "Wait.", retry_after: 20 } } : { ok: true, id, seq: 1, date: DATE };
  const said = room.say("hi");
  await clock.pass(19_000);
  assert.equal(socket.said("say").length, 1);
  await clock.pass(2_000);
  assert.equal((await said).seq, 1);
});

test("a chat that becomes somebody else connects with the new token, once", async () => {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  const connection = new Connection({ socket, clock, random: () => 0.5 });
  const chat = new Chat({ connection, clock, random: () => 0.5, storage: new MemoryStorage(), key: "k:" });
  connection.open();
  socket.connected = true;
  socket.fire("welcome", { v: 2, id: "p1", token: "p1.t", limits: {} });
  chat.become("p1.t");
  assert.equal(socket.attempts, 1);
  chat.become("checked-p2.t");
  assert.deepEqual([socket.attempts, chat.token, chat.id], [2, "checked-p2.t", "p1"]);
  socket.connected = true;
  socket.fire("welcome", { v: 2, id: "checked-p2", token: "checked-p2.t", limits: {} });
  assert.equal(chat.id, "checked-p2");
});
