import assert from "node:assert/strict";
import test from "node:test";
import { Connection } from "../../src/pychat/assets/js/connection.js";
import { Refusal } from "../../src/pychat/assets/js/refusal.js";
import { FakeClock, FakeSocket, settled } from "./fakes.mjs";

function made(random = 0.5) {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  socket.limit = clock.setTimeout;
  const connection = new Connection({ socket, clock, random: () => random });
  const states = [];
  connection.on("state", ({ name }) => states.push(name));
  return { socket, clock, connection, states };
}

test("is live only after the welcome", () => {
  const { socket, connection, states } = made();
  connection.open();
  socket.connected = true;
  socket.fire("connect");
  assert.deepEqual(states, ["connecting"]);
  socket.welcome();
  assert.deepEqual(states, ["connecting", "live"]);
});

test("comes back after a drop, waiting longer after each failure and never longer than 15 seconds", async () => {
  const { socket, clock, connection } = made(1);
  connection.open();
  socket.welcome();
  await clock.pass(60_000);
  socket.drop();
  const waits = [];
  for (let i = 0; i < 8; i += 1) {
    waits.push(connection.state.retryAt - clock.now());
    await clock.pass(waits.at(-1));
    socket.fire("connect_error", new Error("websocket error"));
  }
  assert.deepEqual(waits, [750, 1500, 3000, 6000, 9000, 9000, 9000, 9000]);
  assert.equal(connection.state.name, "reconnecting");
});

test("a connection that held ends a row of failures", async () => {
  const { socket, clock, connection } = made();
  connection.open();
  for (let i = 0; i < 4; i += 1) {
    socket.fire("connect_error", new Error("no"));
    await clock.pass(20_000);
  }
  socket.welcome();
  await clock.pass(6000);
  socket.drop();
  assert.equal(connection.state.retryAt - clock.now(), 500);
});

test("after bye with reconnect it waits half a second to two", async () => {
  for (const [random, wait] of [[0, 500], [0.999999, 2000]]) {
    const { socket, clock, connection } = made(random);
    connection.open();
    socket.welcome();
    socket.fire("bye", { code: 4000, reason: "shutdown", reconnect: true, text: "Going." });
    assert.equal(connection.state.name, "reconnecting");
    assert.equal(connection.state.text, "Going.");
    assert.equal(Math.round(connection.state.retryAt - clock.now()), wait);
    await clock.pass(wait + 1);
    assert.equal(socket.attempts, 2);
  }
});

test("where the room cannot be entered just now it comes back when the server says, and never gives up", async () => {
  const { socket, clock, connection } = made(0);
  connection.open();
  for (let i = 0; i < 20; i += 1) {
    socket.fire("bye", { code: 4010, reason: "unavailable", reconnect: true, text: "Not now.", retry_after: 5 });
    assert.equal(connection.state.name, "connecting");
    assert.equal(connection.state.retryAt - clock.now(), 5000);
    await clock.pass(5001);
    assert.equal(socket.attempts, i + 2);
  }
  socket.welcome();
  assert.equal(connection.state.name, "live");
});

test("who is sent out with words is told these, and only then", async () => {
  const { socket, connection } = made();
  connection.open();
  socket.welcome();
  socket.fire("error", { code: "kicked", text: "You have logged out." });
  socket.fire("bye", { code: 4008, reason: "kicked", reconnect: false, text: "Out." });
  assert.deepEqual(connection.state, { name: "refused", text: "You have logged out.", code: "kicked" });
  connection.open();
  socket.welcome();
  socket.fire("bye", { code: 4008, reason: "kicked", reconnect: false, text: "Out." });
  assert.deepEqual(connection.state, { name: "refused", text: "Out.", code: "kicked" });
});

test("bye without reconnect, and a connection that the server refuses, wait for a person", async () => {
  const { socket, clock, connection } = made();
  connection.open();
  socket.welcome();
  socket.fire("bye", { code: 4008, reason: "kicked", reconnect: false, text: "Out." });
  assert.deepEqual(connection.state, { name: "refused", text: "Out.", code: "kicked" });
  await clock.pass(100_000);
  assert.equal(socket.attempts, 1);
  connection.open();
  assert.equal(socket.attempts, 2);
  socket.active = false;
  socket.fire("connect_error", Object.assign(new Error("x"), { data: { text: "No such room.", reconnect: false } }));
  assert.deepEqual(connection.state, { name: "refused", text: "No such room." });
});

test("a server that is full is tried again", () => {
  const { socket, connection } = made();
  connection.open();
  socket.active = false;
  socket.fire("connect_error", Object.assign(new Error("x"), { data: { text: "Full.", reconnect: true } }));
  assert.equal(connection.state.name, "connecting");
  assert.equal(connection.state.text, "Full.");
  assert.deepEqual(socket.io.opts.transports, ["websocket", "polling"]);
});

test("a server that refuses for a while is tried again after that time and up to half of it more", async () => {
  for (const [random, wait] of [[0, 40_000], [1, 60_000]]) {
    const { socket, clock, connection } = made(random);
    connection.open();
    socket.active = false;
    const data = { code: "maintenance", text: "Back soon.", retry_after: 40, reconnect: true };
    socket.fire("connect_error", Object.assign(new Error("x"), { data }));
    assert.deepEqual(connection.state, { name: "connecting", text: "Back soon.", why: "maintenance", retryAt: clock.now() + wait });
    await clock.pass(wait - 1);
    assert.equal(socket.attempts, 1);
    await clock.pass(1);
    assert.equal(socket.attempts, 2);
  }
});

test("no server keeps a client away for more than a day and a half", () => {
  for (const retry_after of [1e9, Infinity]) {
    const { socket, clock, connection } = made(1);
    connection.open();
    socket.fire("bye", { code: 4010, reason: "unavailable", reconnect: true, text: "Not now.", retry_after });
    assert.equal(connection.state.retryAt - clock.now(), 1.5 * 86_400_000);
  }
});

test("without a welcome in time it begins again, with the other transport if nothing came through", async () => {
  const { socket, clock, connection } = made();
  connection.open();
  await clock.pass(5000);
  assert.deepEqual(socket.io.opts.transports, ["polling", "websocket"]);
  await clock.pass(11_000);
  assert.equal(socket.attempts, 2);
  assert.equal(connection.state.name, "connecting");
  await clock.pass(2000);
  assert.deepEqual(socket.io.opts.transports, ["websocket", "polling"]);
});

test("a command without an answer in ten seconds ends the connection", async () => {
  const { socket, clock, connection } = made();
  connection.open();
  socket.welcome();
  socket.answer = () => new Promise(() => {});
  const outcome = assert.rejects(connection.send("say", {}), { code: "timeout", answered: false });
  await clock.pass(10_000);
  await outcome;
  assert.equal(connection.state.name, "reconnecting");
});

test("commands tell what the server answered", async () => {
  const { socket, connection } = made();
  await assert.rejects(connection.send("who", {}), { code: "offline", answered: false });
  connection.open();
  socket.welcome();
  socket.answer = () => ({ ok: false, error: { code: "offline", text: "A hook says so.", retry_after: 3 } });
  await assert.rejects(connection.send("say", {}), { code: "offline", text: "A hook says so.", retryAfter: 3, answered: true });
  socket.answer = () => null;
  await assert.rejects(connection.send("say", {}), { code: "internal", answered: true });
  connection.close();
  await assert.rejects(connection.send("say", {}), { code: "closed" });
});

test("who never got through asks why: told a reason it waits for a person, told none it goes on", async () => {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  const reasons = [undefined, new Refusal("origin_refused", "Not from there.")];
  const connection = new Connection({ socket, clock, random: () => 0.5, diagnose: async () => reasons.shift() });
  connection.open();
  socket.active = true;
  socket.fire("connect_error", new Error("websocket error"));
  await settled();
  assert.equal(connection.state.name, "connecting");
  await clock.pass(500);
  socket.fire("connect_error", new Error("websocket error"));
  await settled();
  assert.deepEqual(connection.state, { name: "refused", text: "Not from there.", code: "origin_refused" });
  assert.equal(reasons.length, 0);
});
