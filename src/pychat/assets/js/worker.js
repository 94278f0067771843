/**
 * The service worker of a mount: without a network it shows the page, as it was when it was last online. With a network
 * it never answers instead of the server, except for files whose address changes when they do. Push messages have
 * listeners of their own.
 *
 * The server writes `self.pychat` before this: the version, the files that the page needs at once, and the pages to show
 * without a network, which belong to no room and to nobody.
 */

import "./worker/push.js";

const { version, files, pages } = self.pychat;
const { scope } = self.registration;
const PREFIX = `pychat:${scope}:`;
const CACHE = PREFIX + version;
/** Answers depend on the reader's language; the pages are fetched again when it changes. */
const ANY = { ignoreVary: true };

self.addEventListener("install", (event) => event.waitUntil(keep([...files, ...pages])));
self.addEventListener("activate", (event) => event.waitUntil(forgetOlder()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(scope)) return;
  const path = request.url.slice(scope.length).replace(/[?#].*/s, "");
  if (path.startsWith(`assets/${version}/`)) event.respondWith(file(request));
  else if (request.mode === "navigate" && /^(?:rooms\/[^/]+)?$/.test(path)) event.respondWith(page(event, path));
});

async function keep(paths) {
  const cache = await caches.open(CACHE);
  // A redirect leads to something else, such as the login page of a proxy.
  await cache.addAll(paths.map((path) => new Request(new URL(path, scope), { cache: path.startsWith("assets/") ? "default" : "reload", redirect: "error" })));
}

async function forgetOlder() {
  const older = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(older.map((name) => caches.delete(name)));
}

/** A file of this version. What was needed once is there without a network, too. */
async function file(request) {
  // The page has ended this worker, which lives on until the page is closed.
  if (!(await caches.has(CACHE))) return fetch(request);
  const cache = await caches.open(CACHE);
  const kept = await cache.match(request, ANY);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) await cache.put(request, answer.clone());
  return answer;
}

/** A page of the chat: the server's; without a network, the one that was kept. */
async function page(event, path) {
  let answer;
  try {
    answer = await fetch(event.request);
  } catch {
    return (await keptPage(path)) ?? Response.error();
  }
  event.waitUntil(follow(answer.headers.get("Content-Language"), path));
  return answer;
}

async function keptPage(path) {
  return caches.match(new URL(pages[path ? 1 : 0], scope), { ...ANY, cacheName: CACHE });
}

/** Keeps the pages in the language that the reader has now. */
async function follow(language, path) {
  const kept = await keptPage(path);
  if (kept && language && kept.headers.get("Content-Language") !== language) await keep(pages);
}
