import assert from "node:assert/strict";
import { test } from "node:test";

import { hue, Hues } from "../../src/pychat/assets/js/colour.js";
import { People } from "../../src/pychat/assets/js/people.js";

test("twelve people in a room have twelve hues, whatever their ids", () => {
  for (let trial = 0; trial < 50; trial++) {
    const hues = new Hues();
    const ids = Array.from({ length: 12 }, (_, at) => `${trial}-${at}`);
    for (const id of ids) hues.enter(id);
    assert.equal(new Set(ids.map((id) => hues.of(id))).size, 12);
  }
});

test("whoever comes first has the hue of the hash, like those who are not here", () => {
  const hues = new Hues();
  hues.enter("ada");
  assert.equal(hues.of("ada"), hue("ada"));
  assert.equal(hues.of("ben"), hue("ben"));
});

test("nobody's hue changes while they are here, nor when the connection comes back", () => {
  const people = new People();
  const ids = Array.from({ length: 30 }, (_, at) => `p${at}`);
  people.reset({ here: 0 });
  for (const id of ids) people.apply({ here: 1, joined: [{ id, name: id }] });
  const before = ids.map((id) => people.hueOf(id));
  people.apply({ here: 20, left: ids.slice(0, 10) });
  people.apply({ here: 40, joined: ["a", "b", "c"].map((id) => ({ id, name: id })) });
  people.reset({ here: 20, members: ids.slice(10).toReversed().map((id) => ({ id, name: id })) });
  assert.deepEqual(ids.slice(10).map((id) => people.hueOf(id)), before.slice(10));
});

test("a hue is free again when its owner leaves, and the messages of those who left keep it", () => {
  const hues = new Hues();
  hues.enter("ada");
  hues.leave("ada");
  hues.leave("ada");
  assert.equal(hues.of("ada"), hue("ada"));
  const twin = Array.from({ length: 999 }, (_, at) => `t${at}`).find((id) => hue(id) === hue("ada"));
  hues.enter(twin);
  assert.equal(hues.of(twin), hue("ada"));
});
