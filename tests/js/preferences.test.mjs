import assert from "node:assert/strict";
import test from "node:test";
import { oneTab } from "../../src/pychat/assets/js/attention/one-tab.js";
import { Preferences } from "../../src/pychat/assets/js/preferences.js";
import { MemoryStorage } from "../../src/pychat/assets/js/storage.js";

test("preferences have defaults, and another tab's changes stay", () => {
  const storage = new MemoryStorage();
  const [one, other] = [new Preferences(storage), new Preferences(storage)];
  const heard = [];
  one.on("change", (key) => heard.push(key));
  one.set("theme", "dark");
  other.set("size", "large");
  one.mute("/chat/", true);
  assert.deepEqual(heard, ["theme", "muted"]);
  assert.deepEqual(JSON.parse(storage.getItem("pychat:preferences")), { theme: "dark", size: "large", muted: { "/chat/": true } });
  assert.deepEqual([one.get("density"), one.isChosen("density"), one.isChosen("theme"), one.isMuted("/chat/")], ["comfortable", false, true, true]);
  one.mute("/chat/", false);
  assert.equal(one.isMuted("/chat/"), false);
});

test("what is no object in the storage is as nothing", () => {
  for (const text of ["", "1", "null", "[", '"dark"']) {
    const storage = new MemoryStorage();
    storage.setItem("pychat:preferences", text);
    assert.equal(new Preferences(storage).get("theme"), "system");
  }
});

test("one of several tabs tells of a room, and none while one is looked at", async () => {
  const storage = new MemoryStorage();
  const tabs = [1, 2, 3].map(() => oneTab(storage, "told"));
  assert.deepEqual((await Promise.all(tabs.map((isMine) => isMine("tea", false)))).filter(Boolean), [true]);
  assert.deepEqual(await Promise.all(tabs.map((isMine, at) => isMine("lobby", at === 2))), [false, false, false]);
  assert.equal(await tabs[0]("den", false), true);
});
