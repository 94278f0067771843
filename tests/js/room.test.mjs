import assert from "node:assert/strict";
import test from "node:test";
import "./english.mjs";
import { Connection } from "../../src/pychat/assets/js/connection.js";
import { Room } from "../../src/pychat/assets/js/room.js";
import { MemoryStorage } from "../../src/pychat/assets/js/storage.js";
import { FakeClock, FakeSocket, settled } from "./fakes.mjs";

const ADA = { id: "a", name: "Ada" };
const BEN = { id: "b", name: "Ben" };
const DATE = "2026-01-31T12:00:00.000Z";

/** A room, and a server that stores what is said from seq 1 on. */
function made({ storage = new MemoryStorage(), welcome = {}, name } = {}) {
  const socket = new FakeSocket();
  const clock = new FakeClock();
  socket.limit = clock.setTimeout;
  const connection = new Connection({ socket, clock, random: () => 0.5 });
  const room = new Room({ connection, clock, storage, key: "k", name });
  const server = { seq: 0, stored: new Map() };
  socket.answer = (name, data) => {
    if (name === "join") return { ok: true, member: { id: "a", name: data.name }, token: "t" };
    if (name !== "say") return { ok: true };
    if (!server.stored.has(data.id)) server.stored.set(data.id, ++server.seq);
    return { ok: true, id: data.id, seq: server.stored.get(data.id), date: DATE };
  };
  const events = [];
  for (const event of ["message", "me", "ask", "error"]) room.on(event, (told) => events.push([event, told]));
  connection.open();
  if (welcome) socket.welcome(welcome);
  return { socket, clock, connection, room, server, events, storage };
}

const message = (seq, text, author = BEN, id = `m${seq}`) => ({ id, seq, date: DATE, author, text });
const shown = (room) => room.log.entries.map(({ text, state }) => `${text}:${state}`);

test("join waits for the first connection, but not for a lost one", async () => {
  const { socket, room, clock } = made({ welcome: null });
  const joined = room.join("Ada");
  socket.welcome();
  assert.deepEqual(await joined, ADA);
  socket.drop();
  await assert.rejects(room.join("Eve"), { code: "offline" });
  await clock.pass(0);
});

test("a join that is answered just before the connection is lost is repeated on the next one", async () => {
  const { socket, room, clock } = made();
  const { answer } = socket;
  let give;
  socket.answer = (name, data) => new Promise((resolve) => (give = () => resolve(answer(name, data))));
  const joining = room.join("Ada");
  await settled();
  give();
  await null; // the answer is here, and nobody has handled it
  socket.drop();
  assert.deepEqual(await joining, ADA);
  assert.equal(room.joined, false);
  socket.answer = answer;
  await clock.pass(2000);
  socket.welcome();
  await settled();
  assert.equal(room.joined, true);
  assert.equal(socket.said("join").length, 2);
});

test("nothing can be said without a name", async () => {
  const { room } = made();
  await assert.rejects(room.say("hi"), { code: "not_joined" });
});

test("a message is pending at once, and stands at its place when it is stored", async () => {
  const { room, events } = made();
  await room.join("Ada");
  const stored = room.say("hi");
  assert.deepEqual(shown(room), ["hi:pending"]);
  const { seq, date } = await stored;
  assert.deepEqual({ seq, date }, { seq: 1, date: DATE });
  assert.deepEqual(shown(room), ["hi:sent"]);
  assert.deepEqual(events.filter(([name]) => name === "message").map(([, { text, author }]) => [text, author.name]), [["hi", "Ada"]]);
});

test("words that a hook changed are shown as they were stored", async () => {
  const { room, socket } = made();
  await room.join("Ada");
  socket.answer = (_, { id }) => ({ ok: true, id, seq: 1, date: DATE, text: "h*" });
  await room.say("hi");
  assert.deepEqual(shown(room), ["h*:sent"]);
});

test("an answer that overtakes another's message does not move the place to go on from", async () => {
  const { room, socket, server } = made();
  await room.join("Ada");
  server.seq = 1; // Ben's message is seq 1, and comes late
  const { id } = await room.say("mine");
  assert.deepEqual(room.since, { epoch: "e1", seq: 0 });
  socket.fire("message", message(1, "ben"));
  assert.deepEqual(room.since, { epoch: "e1", seq: 2, id });
  assert.deepEqual(shown(room), ["ben:sent", "mine:sent"]);
});

test("after a drop what is unsent goes out again with the same id, after joining with the token", async () => {
  const { room, socket, clock } = made();
  await room.join("Ada");
  const answer = socket.answer;
  socket.answer = () => new Promise(() => {});
  const stored = room.say("one");
  room.say("two");
  await settled();
  socket.drop();
  await settled();
  socket.answer = answer;
  await clock.pass(1000);
  socket.welcome();
  await stored;
  await settled();
  assert.deepEqual(socket.said("join").at(-1), { name: "Ada", token: "t" });
  const said = socket.said("say");
  assert.deepEqual(said.map(({ text }) => text), ["one", "one", "two"]);
  assert.equal(said[0].id, said[1].id);
  assert.deepEqual(shown(room), ["one:sent", "two:sent"]);
});

test("one that was stored although its answer was lost is not sent again", async () => {
  const { room, socket, clock, events } = made();
  await room.join("Ada");
  socket.answer = (name) => (name === "join" ? { ok: true, member: ADA, token: "t" } : new Promise(() => {}));
  const stored = room.say("once");
  await settled();
  const [{ id }] = socket.said("say");
  socket.drop();
  await clock.pass(1000);
  socket.welcome({ recovered: true, seq: 0 });
  assert.deepEqual(room.since, { epoch: "e1", seq: 0 });
  socket.fire("message", message(1, "once", ADA, id));
  assert.equal((await stored).seq, 1);
  await clock.pass(0);
  assert.equal(socket.said("say").length, 1);
  assert.deepEqual(shown(room), ["once:sent"]);
  assert.equal(events.filter(([name]) => name === "message").length, 1);
});

test("somebody else's message with the id of ours is not taken for ours", async () => {
  const { room, socket } = made();
  await room.join("Ada");
  socket.answer = () => new Promise(() => {});
  room.say("mine");
  await settled();
  socket.fire("message", message(1, "theirs", BEN, socket.said("say")[0].id));
  assert.deepEqual(shown(room), ["theirs:sent", "mine:pending"]);
});

test("what was not recovered is replaced, what is unsent stays", async () => {
  const { room, socket, clock } = made({ welcome: { seq: 2, messages: [message(1, "old"), message(2, "older")] } });
  await room.join("Ada");
  socket.drop();
  room.say("mine");
  await clock.pass(1000);
  socket.answer = () => new Promise(() => {});
  socket.welcome({ epoch: "e2", seq: 1, messages: [message(1, "new")] });
  assert.deepEqual(shown(room), ["new:sent", "mine:pending"]);
  assert.deepEqual(room.since, { epoch: "e2", seq: 1 });
});

test("a message that comes twice is shown once", () => {
  const { room, socket, events } = made();
  socket.fire("message", message(1, "x"));
  socket.fire("message", message(1, "x"));
  assert.deepEqual(shown(room), ["x:sent"]);
  assert.equal(events.length, 1);
});

test("told to wait, it waits so long and keeps the order", async () => {
  const { room, socket, clock } = made();
  await room.join("Ada");
  const answer = socket.answer;
  socket.answer = () => ({ ok: false, error: { code: "rate_limited", text: "Wait.", retry_after: 3 } });
  room.say("one");
  room.say("two");
  await settled();
  assert.equal(room.log.entries[0].error.text, "Wait.");
  socket.answer = answer;
  await clock.pass(2999);
  assert.deepEqual(shown(room), ["one:pending", "two:pending"]);
  await clock.pass(1);
  assert.deepEqual(shown(room), ["one:sent", "two:sent"]);
  assert.deepEqual(socket.said("say").map(({ text }) => text), ["one", "one", "two"]);
});

test("a refused one stays with its reason, others go on; it can be tried again or thrown away", async () => {
  const { room, socket, storage } = made();
  await room.join("Ada");
  const answer = socket.answer;
  socket.answer = (name, data) => (data.text === "BAD" ? { ok: false, error: { code: "shouting", text: "Lower." } } : answer(name, data));
  await assert.rejects(room.say("BAD"), { code: "shouting" });
  await room.say("good");
  assert.deepEqual(shown(room), ["good:sent", "BAD:failed"]);
  const { id } = room.log.entries[1];
  assert.deepEqual(shown(made({ storage, welcome: null }).room), ["BAD:failed"]);
  await assert.rejects(room.retry(id), { code: "shouting" });
  socket.answer = answer;
  await room.retry(id);
  assert.deepEqual(shown(room), ["good:sent", "BAD:sent"]);
  assert.deepEqual(shown(made({ storage, welcome: null }).room), []);
});

test("a discarded one is gone for good", async () => {
  const { room, socket, storage } = made();
  await room.join("Ada");
  socket.drop();
  const stored = room.say("never mind");
  room.discard(room.log.entries[0].id);
  await assert.rejects(stored, { code: "discarded" });
  assert.deepEqual(shown(room), []);
  assert.deepEqual(shown(made({ storage, welcome: null }).room), []);
});

test("the unsent survive the page, and are sent in order by the next", async () => {
  const first = made();
  await first.room.join("Ada");
  first.socket.drop();
  first.room.say("one");
  first.room.say("two");
  const second = made({ storage: first.storage });
  assert.deepEqual(second.room.me, ADA);
  await settled();
  assert.deepEqual(shown(second.room), ["one:sent", "two:sent"]);
  const third = made({ storage: first.storage });
  assert.deepEqual(shown(third.room), []);
});

test("a name that cannot be had again is asked for, and the unsent wait for it", async () => {
  const { room, socket, clock, events } = made();
  await room.join("Ada");
  socket.drop();
  room.say("waiting");
  const answer = socket.answer;
  socket.answer = () => ({ ok: false, error: { code: "name_taken", text: "Taken." } });
  await clock.pass(1000);
  socket.welcome();
  await settled();
  assert.equal(room.me, null);
  assert.deepEqual(events.filter(([name]) => name === "ask").map(([, { code }]) => code), ["name_taken"]);
  assert.deepEqual(shown(room), ["waiting:pending"]);
  socket.answer = answer;
  await room.join("Ada B");
  await settled();
  assert.deepEqual(shown(room), ["waiting:sent"]);
});

test("where another tab came back first, its token is used", async () => {
  const { room, socket, clock, storage } = made();
  await room.join("Ada");
  socket.drop();
  socket.answer = (name, data) => {
    if (data.token !== "t2") {
      storage.setItem("k:me", JSON.stringify({ id: "a2", name: "Ada", token: "t2" }));
      return { ok: false, error: { code: "name_taken", text: "Taken." } };
    }
    return { ok: true, member: { id: "a2", name: "Ada" }, token: "t2" };
  };
  await clock.pass(1000);
  socket.welcome({ epoch: "e2" });
  await settled();
  assert.deepEqual(room.me, { id: "a2", name: "Ada" });
  assert.equal(room.joined, true);
});

test("typing is told every three seconds at most, and its end once", async () => {
  const { room, socket, clock } = made();
  await room.join("Ada");
  for (let i = 0; i < 40; i += 1) {
    room.typing(true);
    await clock.pass(100);
  }
  room.typing(false);
  room.typing(false);
  assert.deepEqual(socket.said("typing"), [{ on: true }, { on: true }, { on: false }]);
});

test("who is typing is forgotten after six seconds, or with their message", async () => {
  const { room, socket, clock } = made();
  let typing;
  room.on("typing", (members) => (typing = members.map(({ name }) => name)));
  socket.fire("typing", { member: BEN, on: true });
  assert.deepEqual(typing, ["Ben"]);
  await clock.pass(6000);
  assert.deepEqual(typing, []);
  socket.fire("typing", { member: BEN, on: true });
  socket.fire("message", message(1, "done"));
  assert.deepEqual(typing, []);
});

test("one's own coming is no news, nor is who leaves and comes back at once", async () => {
  const { room, socket } = made();
  socket.fire("presence", { here: 1, joined: [ADA], listed: true });
  await room.join("Ada");
  const news = () => room.log.entries.filter(({ notice }) => notice?.text).map(({ notice }) => notice.text);
  assert.deepEqual(news(), []);
  socket.fire("presence", { here: 2, joined: [BEN], listed: true });
  assert.deepEqual(news(), ["\u2068Ben\u2069 joined"]);
  socket.fire("message", message(1, "x"));
  socket.fire("presence", { here: 1, left: ["b"], listed: true });
  socket.fire("presence", { here: 2, joined: [BEN], listed: true });
  assert.deepEqual(news(), ["\u2068Ben\u2069 joined"]);
});

test("another tab's new name is ours too", async () => {
  const { room, socket } = made();
  await room.join("Ada");
  socket.fire("presence", { here: 1, renamed: [{ id: "a", name: "Countess" }], listed: true });
  assert.deepEqual(room.me, { id: "a", name: "Countess" });
});

test("what was missed comes as events, and only they move the place to go on from", async () => {
  const { room, socket, clock } = made({ welcome: { seq: 1, messages: [message(1, "first")] } });
  const heard = [];
  for (const event of ["edited", "deleted", "reacted"]) room.on(event, ({ target }) => heard.push([event, target]));
  socket.drop();
  await clock.pass(1000);
  socket.welcome({ recovered: true, seq: 1 });
  const event = { date: DATE, author: BEN, target: 1 };
  socket.fire("edited", { id: "e", seq: 2, ...event, text: "second" });
  socket.fire("reacted", { id: "r", seq: 3, ...event, emoji: "👍", on: true });
  assert.deepEqual(room.since, { epoch: "e1", seq: 3, id: "r" });
  assert.deepEqual(room.messages, [{ ...message(1, "second"), edited: DATE, reactions: { "👍": ["b"] } }]);
  socket.fire("deleted", { id: "d", seq: 4, ...event, target: 99 });
  assert.deepEqual(heard, [["edited", 1], ["reacted", 1], ["deleted", 99]]);
  assert.equal(room.since.seq, 4);
});

test("editing, deleting and reacting are answered, and refused without a name or a connection", async () => {
  const { room, socket } = made();
  await assert.rejects(room.edit(1, "x"), { code: "not_joined" });
  await room.join("Ada");
  socket.answer = () => ({ ok: true, id: "e", seq: 1, date: DATE });
  await room.edit(7, "x");
  await room.delete(7);
  await room.react(7, "👍");
  await room.react(7, "👍", false);
  assert.deepEqual(socket.sent.slice(-4), [
    ["edit", { target: 7, text: "x" }],
    ["delete", { target: 7 }],
    ["react", { target: 7, emoji: "👍", on: true }],
    ["react", { target: 7, emoji: "👍", on: false }],
  ]);
  assert.equal(room.since.seq, 1);
  socket.answer = () => ({ ok: false, error: { code: "not_yours", text: "No." } });
  await assert.rejects(room.delete(8), { code: "not_yours" });
  socket.drop();
  await assert.rejects(room.react(7, "👍"), { code: "offline" });
});

test("a reply answers nothing where messages are numbered anew", async () => {
  const { room, socket, clock } = made({ welcome: { seq: 1, messages: [message(1, "tea?")] } });
  await room.join("Ada");
  socket.drop();
  room.say("yes", { replyTo: 1 }).catch(() => {});
  await clock.pass(1000);
  socket.answer = (name) => (name === "join" ? { ok: true, member: ADA, token: "t" } : new Promise(() => {}));
  socket.welcome({ epoch: "e2", seq: 1, messages: [message(1, "another")] });
  await settled();
  assert.equal(socket.said("say")[0].reply_to, undefined);
  assert.deepEqual(shown(room), ["another:sent", "yes:pending"]);
  assert.equal(room.log.entries[1].reply, undefined);
});

test("a reply quotes what it answers, and still does after a reload", async () => {
  const { room, socket, storage } = made({ welcome: { seq: 1, messages: [message(1, "x".repeat(300))] } });
  await room.join("Ada");
  socket.drop();
  room.say("yes", { replyTo: 1 });
  const quote = { seq: 1, author: "Ben", text: `${"x".repeat(199)}…` };
  assert.deepEqual(room.log.entries[1].reply, quote);
  const again = made({ storage });
  await settled();
  assert.equal(again.socket.said("say")[0].reply_to, 1);
  assert.deepEqual(again.room.messages[0].reply, quote);
});

/** Answers `history` like a server that holds messages 1 to 200. */
const archive = ({ before = 201, limit }) => {
  const seqs = Array.from({ length: 200 }, (_, i) => i + 1).filter((seq) => seq < before);
  const page = seqs.slice(-limit);
  return { ok: true, messages: page.map((seq) => message(seq, `t${seq}`)), more: page.length < seqs.length };
};

test("older messages are filled in page by page, until the beginning", async () => {
  const { room, socket } = made({ welcome: { seq: 200, messages: [message(199, "t199"), message(200, "t200")], more: true } });
  socket.answer = (_, data) => archive(data);
  assert.deepEqual(room.log.gaps.list, [{ from: 0, to: 199 }]);
  for (let pages = 0; room.log.gaps.open; pages += 1) {
    assert.ok(pages < 4);
    await room.fill(room.log.gaps.list[0]);
  }
  assert.deepEqual(room.messages.map(({ seq }) => seq), Array.from({ length: 200 }, (_, i) => i + 1));
});

test("a message far up is fetched with those around it, and what lies between can be filled in from both ends", async () => {
  const { room, socket } = made({ welcome: { seq: 200, messages: [message(200, "t200")], more: true } });
  socket.answer = (_, data) => archive(data);
  assert.equal((await room.find(60)).text, "t60");
  assert.deepEqual(room.log.gaps.list, [{ from: 0, to: 35 }, { from: 84, to: 200 }]);
  await room.fill(room.log.gaps.list[1], "older");
  assert.deepEqual(room.log.gaps.list[1], { from: 134, to: 200 });
  await room.fill(room.log.gaps.list[1]);
  await room.fill(room.log.gaps.list[1]);
  assert.deepEqual(room.log.gaps.list, [{ from: 0, to: 35 }]);
  assert.equal(await room.find(999), undefined);
  assert.equal(room.messages.length, 166);
});

test("what happens while history is on its way is not lost", async () => {
  const { room, socket } = made({ welcome: { seq: 200, messages: [message(200, "t200")], more: true } });
  let answer;
  socket.answer = () => new Promise((resolve) => (answer = resolve));
  const found = room.find(150);
  await settled();
  socket.fire("deleted", { id: "d", seq: 201, date: DATE, author: BEN, target: 150 });
  answer(archive({ before: 175, limit: 50 }));
  assert.equal((await found).deleted, true);
});

test("a room that began anew meanwhile is not mixed with the old one", async () => {
  const { room, socket, clock } = made({ welcome: { seq: 200, messages: [message(200, "t200")], more: true } });
  let answer;
  socket.answer = () => new Promise((resolve) => (answer = resolve));
  const filled = room.fill(room.log.gaps.list[0]).catch(() => {});
  await settled();
  socket.drop();
  await clock.pass(1000);
  socket.welcome({ epoch: "e2", seq: 1, messages: [message(1, "new")] });
  answer(archive({ limit: 50 }));
  await filled;
  assert.deepEqual(shown(room), ["new:sent"]);
});

test("a name that is given is taken at first; one that cannot be had is asked for, and not tried again", async () => {
  const { room } = made({ name: "Ada" });
  await settled();
  assert.deepEqual(room.me, ADA);
  const other = made({ name: "Ada", welcome: null });
  other.socket.answer = () => ({ ok: false, error: { code: "name_taken", text: "Taken." } });
  other.socket.welcome();
  assert.equal(other.room.arriving, true);
  await settled();
  assert.equal(other.room.arriving, false);
  assert.deepEqual(other.events.map(([name, told]) => [name, told?.code]), [["ask", "name_taken"]]);
  other.socket.drop();
  await other.clock.pass(10_000);
  other.socket.welcome();
  await settled();
  assert.equal(other.socket.sent.filter(([name]) => name === "join").length, 1);
});

test("whom a login names is in the room without a word, and sends what was unsent; nothing of it is kept", async () => {
  const you = { id: "user:1", name: "Ada", roles: ["moderator"], name_fixed: true };
  const { socket, clock, room, storage } = made({ name: "Somebody", welcome: { you } });
  await settled();
  assert.deepEqual([room.me, room.joined, room.moderates], [{ id: "user:1", name: "Ada" }, true, true]);
  await room.say("hi");
  socket.drop();
  const later = room.say("later");
  await clock.pass(10_000);
  socket.welcome({ you, recovered: true });
  await later;
  assert.deepEqual(socket.sent.map(([name]) => name), ["say", "say"]);
  assert.deepEqual(room.log.entries.map(({ own }) => own), [true, true]);
  assert.equal(storage.length, 0);
});

test("when a login has ended, a name is asked for", async () => {
  const { socket, clock, room } = made({ welcome: { you: { id: "user:1", name: "Ada", name_fixed: true } } });
  await settled();
  socket.drop();
  await clock.pass(10_000);
  socket.welcome();
  await settled();
  assert.deepEqual([room.me, room.you, room.joined], [null, null, false]);
  assert.deepEqual(socket.sent, []);
});

const LOGIN_ADA = { id: "user:1", name: "Ada", name_fixed: true, roles: [] };
const LOGIN_GRACE = { id: "user:2", name: "Grace", name_fixed: true, roles: [] };

test("what one login wrote is never sent or shown under another, and waits for its own", async () => {
  const first = made({ welcome: { you: LOGIN_ADA } });
  first.socket.drop();
  first.room.say("Adas secret");
  assert.deepEqual(shown(first.room), ["Adas secret:pending"]);
  for (const you of [LOGIN_GRACE, undefined]) {
    const other = made({ storage: first.storage, welcome: { you } });
    if (!you) await other.room.join("Eve");
    await other.room.say("mine");
    await settled();
    assert.deepEqual(other.socket.said("say").map(({ text }) => text), ["mine"]);
    assert.deepEqual(shown(other.room), ["mine:sent"]);
  }
  const again = made({ storage: first.storage, welcome: { you: LOGIN_ADA } });
  await settled();
  assert.deepEqual(again.socket.said("say").map(({ text }) => text), ["Adas secret"]);
});

for (const recovered of [false, true]) {
  test(`a tab that comes back as somebody else${recovered ? ", recovered," : ""} sets the words of the first aside until it is them again`, async () => {
    const { room, socket, clock } = made({ welcome: { you: LOGIN_ADA } });
    const logs = [];
    room.on("log", ({ kind }) => logs.push(kind));
    socket.drop();
    room.say("Adas secret");
    await clock.pass(1000);
    socket.welcome({ you: LOGIN_GRACE, recovered });
    await settled();
    assert.deepEqual([socket.said("say"), shown(room), room.me.name], [[], [], "Grace"]);
    assert.ok(logs.includes("reset"));
    socket.drop();
    await clock.pass(3000);
    socket.welcome({ you: LOGIN_ADA, recovered });
    await settled();
    assert.deepEqual(socket.said("say").map(({ text }) => text), ["Adas secret"]);
    assert.deepEqual(room.log.entries.map(({ text, state, author }) => [text, state, author.name]), [["Adas secret", "sent", "Ada"]]);
  });
}

test("what a guest wrote is not sent by who logs in, and goes out when the same guest is back", async () => {
  const guest = made();
  await guest.room.join("Ada");
  guest.socket.drop();
  guest.room.say("as a guest");
  const login = made({ storage: guest.storage, welcome: { you: LOGIN_GRACE } });
  await settled();
  assert.deepEqual([login.socket.said("say"), shown(login.room)], [[], []]);
  const again = made({ storage: guest.storage });
  await settled();
  assert.deepEqual(again.socket.said("say").map(({ text }) => text), ["as a guest"]);
});

/** A room whose server knows its guest by this id. */
function madeAs(id, options) {
  const one = made({ welcome: null, ...options });
  const { answer } = one.socket;
  one.socket.answer = (name, data) => (name === "join" ? { ok: true, member: { id, name: data.name }, token: `token of ${id}` } : answer(name, data));
  one.socket.welcome();
  return one;
}

test("what one guest wrote is not sent by the next one in the same browser, and waits for its own", async () => {
  const ada = madeAs("a");
  await ada.room.join("Ada");
  ada.socket.drop();
  ada.room.say("Adas secret");
  const identity = ada.storage.getItem("k:me");
  ada.storage.removeItem("k:me");
  const eve = madeAs("e", { storage: ada.storage });
  await eve.room.join("Eve");
  await eve.room.say("mine");
  assert.deepEqual(eve.socket.said("say").map(({ text }) => text), ["mine"]);
  assert.deepEqual(shown(eve.room), ["mine:sent"]);
  ada.storage.setItem("k:me", identity);
  const again = madeAs("a", { storage: ada.storage });
  await settled();
  assert.deepEqual(again.socket.said("say").map(({ text }) => text), ["Adas secret"]);
});

test("a guest whom a restarted server gave another id keeps what they wrote", async () => {
  const { room, socket, clock } = made();
  await room.join("Ada");
  socket.drop();
  room.say("before");
  const { answer } = socket;
  socket.answer = (name, data) => (name === "join" ? { ok: true, member: { id: "new", name: data.name }, token: "t2" } : answer(name, data));
  const ids = [];
  room.on("renumbered", (id) => ids.push(id));
  room.on("me", ({ id }) => ids.push(`me ${id}`));
  await clock.pass(1000);
  socket.welcome();
  await settled();
  assert.deepEqual(ids, ["new", "me new"]);
  assert.deepEqual(socket.said("say").map(({ text }) => text), ["before"]);
  assert.deepEqual(shown(room), ["before:sent"]);
});

test("a guest whom a restarted server gave another id with the welcome sees what they wrote, and it goes out", async () => {
  const storage = new MemoryStorage();
  storage.setItem("k:me", JSON.stringify({ id: "old", name: "Ada", token: "t" }));
  storage.setItem("k:unsent:x", JSON.stringify({ id: "x", text: "before", at: 1, by: "old" }));
  const { room, socket } = made({ storage, welcome: null });
  assert.deepEqual(shown(room), ["before:pending"]);
  const { answer } = socket;
  socket.answer = (name, data) => (name === "join" ? { ok: true, member: { id: "new", name: data.name }, token: "t2" } : answer(name, data));
  // A connection for many rooms keeps the new id before the room hears of it.
  storage.setItem("k:me", JSON.stringify({ id: "new", name: "Ada", token: "t2" }));
  const drawn = [];
  room.on("log", () => drawn.push(...shown(room)));
  socket.welcome();
  await settled();
  assert.deepEqual(socket.said("say").map(({ text }) => text), ["before"]);
  assert.deepEqual([shown(room), drawn.filter((one) => one.startsWith("before")).length > 0], [["before:sent"], true]);
});

test("what an older page kept for guests goes out", async () => {
  const storage = new MemoryStorage();
  storage.setItem("k:me", JSON.stringify({ id: "a", name: "Ada", token: "t" }));
  storage.setItem("k:unsent:x", JSON.stringify({ id: "x", text: "old", at: 1 }));
  const { socket } = made({ storage });
  await settled();
  assert.deepEqual(socket.said("say").map(({ text }) => text), ["old"]);
});

test("who is sent out sees nobody as here", async () => {
  const { room, socket } = made({ welcome: { you: LOGIN_ADA, here: 2, members: [ADA, BEN] } });
  const told = [];
  room.on("people", ({ members }) => told.push(members.length));
  socket.fire("bye", { code: 4008, reason: "kicked", reconnect: false, text: "Out." });
  assert.deepEqual([room.people.here, room.people.members, told], [0, [], [0]]);
});

test("messages of an earlier visit are shown until the server tells its own; a reply to one never answers another", async () => {
  const storage = new MemoryStorage();
  await made({ storage }).room.join("Ada");
  for (const [epoch, reply] of [["e1", 7], ["e2", undefined]]) {
    const { room, socket } = made({ storage, welcome: null });
    assert.equal(room.recall([message(7, "kept")], "e1"), true);
    assert.deepEqual(shown(room), ["kept:sent"]);
    assert.equal(room.since, undefined);
    const said = room.say("answer", { replyTo: 7 });
    socket.welcome({ epoch, seq: 1, messages: [message(1, "new")] });
    await said;
    assert.equal(socket.said("say").at(-1).reply_to, reply);
    assert.ok(!shown(room).includes("kept:sent"));
    assert.equal(room.recall([message(7, "kept")], "e1"), false);
    room.close();
  }
});
