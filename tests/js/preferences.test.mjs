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
  for (const locks of [undefined, new FakeLocks()]) {
    const storage = new MemoryStorage();
    let looked = -1;
    const tabs = [0, 1, 2].map((at) => oneTab({ key: "told", storage, locks, isLooked: () => looked === at }));
    const told = async (room) => (await Promise.all(tabs.map(({ isMine }) => isMine(room)))).filter(Boolean).length;
    assert.equal(await told("tea"), 1);
    assert.equal(await told("tea"), 0, "once in a while");
    looked = 2;
    for (const { check } of tabs) check();
    assert.equal(await told("lobby"), 0);
    looked = -1;
    for (const { check } of tabs) check();
    await new Promise(setImmediate);
    assert.equal(await told("den"), 1);
  }
});

/** As the browser's: a lock is held until the promise of its function ends. */
class FakeLocks {
  #held = [];

  request(name, options, run = options) {
    if (options.mode !== "shared" && this.#held.some((one) => one.name === name)) return;
    const lock = { name };
    this.#held.push(lock);
    run(lock).then(() => this.#held.splice(this.#held.indexOf(lock), 1));
  }

  async query() {
    return { held: [...this.#held] };
  }
}
