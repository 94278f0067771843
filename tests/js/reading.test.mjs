import assert from "node:assert/strict";
import test from "node:test";
import { Names } from "../../src/pychat/assets/js/names.js";
import { forServer, wordsOf } from "../../src/pychat/assets/js/search-filters.js";
import { LogWindow } from "../../src/pychat/assets/js/view/log-window.js";

const messages = (count, from = 0) => Array.from({ length: count }, (_, at) => ({ seq: from + at }));

test("at the end, the newest entries are drawn", () => {
  const shown = new LogWindow();
  assert.deepEqual(shown.range(messages(100), true), [0, 100]);
  assert.equal(shown.above, false);
  assert.deepEqual(shown.range(messages(1000), true), [850, 1000]);
  assert.equal(shown.above, true);
});

test("further up, what was drawn stays, and grows at an edge that comes near", () => {
  const shown = new LogWindow();
  const log = messages(400);
  assert.deepEqual(shown.range(log, true), [250, 400]);
  assert.deepEqual(shown.range(log, false), [250, 400]);
  shown.extend(log, "above");
  assert.deepEqual(shown.range(log, false), [175, 400]);
  // Older messages were fetched, and far below new ones have arrived.
  log.unshift(...messages(50, -50));
  log.push(...messages(200, 400));
  assert.deepEqual(shown.range(log, false), [225, 450]);
  assert.equal(shown.below, true);
  shown.extend(log, "below");
  assert.deepEqual(shown.range(log, false), [225, 525]);
  assert.deepEqual(shown.range(log, true), [500, 650]);
});

test("a message that is looked for is drawn among its neighbours", () => {
  const shown = new LogWindow();
  const log = messages(600);
  shown.range(log, true);
  shown.include(log, log[100]);
  assert.deepEqual(shown.range(log, false), [25, 175]);
  shown.include(log, log[30]);
  assert.deepEqual(shown.range(log, false), [25, 175]);
});

test("a hundred deleted messages, which are one row, count as none", () => {
  const log = [...messages(200), ...messages(500, 200).map((entry) => ({ ...entry, deleted: true })), ...messages(10, 700)];
  assert.deepEqual(new LogWindow().range(log, true), [60, 710]);
});

test("filters of a search have the days of the reader, and are no words", () => {
  const midnight = (year, month, day) => new Date(year, month - 1, day).toISOString().slice(0, 16) + "Z";
  assert.equal(forServer({ text: " tea " }), "tea");
  assert.equal(forServer({ text: "tea", from: 'Ada "L"' }), 'tea from:"Ada L"');
  assert.equal(forServer({ text: "AFTER:2026-01-31" }), `after:${midnight(2026, 1, 31)}`);
  assert.equal(forServer({ text: "", after: "2026-01-31", before: "2026-02-28" }), `after:${midnight(2026, 1, 31)} before:${midnight(2026, 3, 1)}`);
  assert.equal(forServer({ text: "before:lunch after:2026-01-31T12:00Z" }), "before:lunch after:2026-01-31T12:00Z");
  assert.deepEqual(wordsOf('tea from:"Ada L" after:2026-01-31 time').split(/\s+/), ["tea", "time"]);
});

test("somebody has the names of today and of before", () => {
  const room = {
    log: { entries: [{ author: { id: "a", name: "Ada" } }, { notice: {} }, { author: { id: "b", name: "" } }] },
    people: { members: [{ id: "a", name: "Countess" }] },
    me: { id: "c", name: "Cy" },
  };
  const names = new Names(room);
  assert.deepEqual([names.of("a"), names.everOf("a"), names.of("b"), names.of("c")], ["Countess", ["Ada", "Countess"], undefined, "Cy"]);
});
