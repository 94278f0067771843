import assert from "node:assert/strict";
import test from "node:test";
import { Log } from "../../src/pychat/assets/js/log.js";
import { Outbox } from "../../src/pychat/assets/js/outbox.js";
import { Position } from "../../src/pychat/assets/js/position.js";
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
      const deed = random(6);
      if (deed <= 2) log.take(message(1 + random(20)), false);
      else if (deed === 3 && !waiting.has(id)) waiting.add(id) && log.pend({ id, text: id, date: "", author });
      else if (deed === 4 && waiting.delete(id)) log.confirm(id, { seq: 21 + random(9), date: "" });
      else if (deed === 5) log.note({ state: "notice", date: "" });
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
