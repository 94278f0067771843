import assert from "node:assert/strict";
import test from "node:test";
import { Gaps } from "../../src/pychat/assets/js/gaps.js";
import { Log } from "../../src/pychat/assets/js/log.js";
import { Outbox } from "../../src/pychat/assets/js/outbox.js";
import { Position } from "../../src/pychat/assets/js/position.js";
import { revised } from "../../src/pychat/assets/js/revision.js";
import { MemoryStorage } from "../../src/pychat/assets/js/storage.js";

const author = { id: "b", name: "Ben" };
const message = (seq, id = `m${seq}`) => ({ id, seq, date: "2026-01-31T12:00:00Z", author, text: `t${seq}` });

test("in whatever order things happen, messages stand by seq, once, and unsent ones last", () => {
  let state = 7; // a small generator, so that a failure can be repeated
  const random = (n) => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
  for (let run = 0; run < 300; run += 1) {
    const log = new Log();
    const ours = ["x", "y", "z"];
    const waiting = new Set();
    for (let step = 0; step < 60; step += 1) {
      const id = ours[random(3)];
      const step = random(6);
      if (step <= 2) log.take(message(1 + random(20)), false);
      else if (step === 3 && !waiting.has(id)) waiting.add(id) && log.pend({ id, text: id, date: "", author });
      else if (step === 4 && waiting.delete(id)) log.confirm(id, { seq: 21 + random(9), date: "" });
      else if (step === 5) log.note({ state: "notice", date: "" });
      const seqs = log.entries.filter(({ seq }) => seq !== undefined).map(({ seq }) => seq);
      assert.deepEqual(seqs, [...new Set(seqs)].sort((a, b) => a - b));
      const unsent = log.entries.slice(log.entries.length - waiting.size);
      assert.deepEqual(new Set(unsent.map((entry) => entry.id)), waiting);
      assert.ok(unsent.every((entry) => entry.state === "pending"));
    }
  }
});

test("trimming keeps the newest and everything unsent", () => {
  const log = new Log();
  for (let seq = 1; seq <= 10; seq += 1) log.take(message(seq), false);
  log.pend({ id: "x", text: "x", date: "", author });
  assert.equal(log.trim(4).length, 7);
  assert.deepEqual(log.entries.map((entry) => entry.seq), [8, 9, 10, undefined]);
  assert.equal(log.trim(0).length, 3);
  assert.equal(log.entries.length, 1);
});

test("an answer that overtakes does not skip what stands before it", () => {
  const position = new Position();
  assert.equal(position.since, undefined);
  position.start("e", 10);
  position.wrote(12);
  position.wrote(13);
  assert.equal(position.since.seq, 10);
  position.read(11);
  assert.equal(position.since.seq, 13);
  position.read(20);
  assert.equal(position.since.seq, 20);
  position.wrote(15);
  assert.equal(position.since.seq, 20);
});

test("a position holds the id of the event that it names", () => {
  const position = new Position();
  position.start("e", 10, "ten");
  assert.deepEqual(position.since, { epoch: "e", seq: 10, id: "ten" });
  position.wrote(12, "twelve");
  position.wrote(13, "thirteen");
  assert.equal(position.since.id, "ten");
  position.read(11, "eleven");
  assert.deepEqual(position.since, { epoch: "e", seq: 13, id: "thirteen" });
  position.read(12, "twelve");
  assert.equal(position.since.id, "thirteen");
  position.start("e", 0);
  assert.deepEqual(position.since, { epoch: "e", seq: 0 });
});

test("two tabs share the storage of the outbox and overwrite nothing", () => {
  const storage = new MemoryStorage();
  const [one, two] = [new Outbox(storage, "p:"), new Outbox(storage, "p:")];
  one.add("a", "first", 1);
  two.add("b", "second", 2);
  one.add("c", "third", 3);
  two.remove("b");
  assert.deepEqual(new Outbox(storage, "p:").items.map(({ text }) => text), ["first", "third"]);
});

test("the outbox keeps order even where the clock stands still, and is bounded", () => {
  const storage = new MemoryStorage();
  const outbox = new Outbox(storage, "p:");
  for (let i = 0; i < 500; i += 1) outbox.add(`id${i}`, `${i}`, 1000);
  assert.throws(() => outbox.add("more", "x", 1000), { code: "outbox_full" });
  assert.deepEqual(new Outbox(storage, "p:").items.map(({ text }) => Number(text)), Array.from({ length: 500 }, (_, i) => i));
});

test("what is no message in the storage is left alone", () => {
  const storage = new MemoryStorage();
  for (const [key, value] of [["p:a", "no json"], ["p:b", "null"], ["p:c", "{}"], ["other", "x"]]) storage.setItem(key, value);
  assert.deepEqual(new Outbox(storage, "p:").items, []);
});

test("gaps are exactly the numbers that are not known", () => {
  let state = 11;
  const random = (n) => (state = (state * 1103515245 + 12345) % 2 ** 31) % n;
  for (let run = 0; run < 500; run += 1) {
    const gaps = new Gaps();
    gaps.reset(30);
    const known = new Set(Array.from({ length: 11 }, (_, i) => 30 + i));
    for (let step = 0; step < 20; step += 1) {
      const [low, high] = [1 + random(40), 1 + random(40)].sort((a, b) => a - b);
      if (random(3)) {
        gaps.learn(low, high);
        for (let i = low; i < high; i += 1) known.add(i);
      } else if (high > low + 1) {
        gaps.forget(low, high);
        for (let i = low + 1; i < high; i += 1) known.delete(i);
      }
      for (let i = 1; i <= 40; i += 1) assert.equal(gaps.list.some(({ from, to }) => from < i && i < to), !known.has(i));
      gaps.list.forEach(({ from, to }, at) => assert.ok(to > from + 1 && (at === 0 || gaps.list[at - 1].to <= from + 1)));
    }
  }
});

test("what is cut out of the log leaves a gap", () => {
  const log = new Log();
  for (let seq = 1; seq <= 10; seq += 1) log.take(message(seq), false);
  log.note({ state: "notice", date: "" });
  log.cut(3, 6);
  assert.deepEqual(log.gaps.list, [{ from: 3, to: 7 }]);
  assert.equal(log.find(5), undefined);
  log.trim(3);
  assert.deepEqual(log.entries.map(({ seq }) => seq), [9, 10, undefined]);
  assert.deepEqual(log.gaps.list, [{ from: 0, to: 9 }]);
  assert.ok(log.gaps.open);
  log.clear();
  assert.equal(log.gaps.open, false);
});

test("what becomes of a message can be told twice; what was deleted stays deleted", () => {
  const date = "2026-01-31T13:00:00Z";
  const event = { seq: 2, date, author: { id: "x" }, target: 1 };
  const told = [
    ["edited", { ...event, text: "new" }],
    ["reacted", { ...event, emoji: "👍", on: true }],
    ["reacted", { ...event, emoji: "👍", on: true, author: { id: "y" } }],
    ["reacted", { ...event, emoji: "🎉", on: true }],
    ["reacted", { ...event, emoji: "🎉", on: false }],
  ];
  let now = message(1);
  for (const [kind, revision] of told) {
    now = revised(now, kind, revision);
    assert.deepEqual(revised(now, kind, revision), now);
  }
  assert.deepEqual(now, { ...message(1), text: "new", edited: date, reactions: { "👍": ["x", "y"] } });
  assert.deepEqual(revised(message(5), "deleted", event), message(5));
  const gone = revised(now, "deleted", event);
  assert.deepEqual([gone.text, gone.deleted, gone.edited, gone.reactions], ["", true, undefined, undefined]);
  for (const [kind, revision] of told) assert.equal(revised(gone, kind, revision), gone);
});
