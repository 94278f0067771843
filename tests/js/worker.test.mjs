import assert from "node:assert/strict";
import test from "node:test";

const scope = "https://chat.test/chat/";

test("the worker keeps nothing that a redirect leads to", async () => {
  const listeners = {};
  const kept = [];
  globalThis.self = {
    pychat: { version: "v", files: ["assets/v/page.js"], pages: ["offline", "offline/room"] },
    registration: { scope },
    addEventListener: (name, listener) => (listeners[name] = listener),
  };
  globalThis.caches = { open: async () => ({ addAll: async (requests) => void kept.push(...requests) }) };
  await import("../../src/pychat/assets/js/worker.js");
  let installed;
  listeners.install({ waitUntil: (promise) => (installed = promise) });
  await installed;
  assert.deepEqual(kept.map(({ url, redirect }) => [url, redirect]), [
    [`${scope}assets/v/page.js`, "error"],
    [`${scope}offline`, "error"],
    [`${scope}offline/room`, "error"],
  ]);
});
