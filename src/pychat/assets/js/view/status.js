/**
 * Shows the state of the connection: a word in the header, and a line above the message box when there is trouble. To
 * who is not let in, that is all there is to show, and it stands in the middle.
 */

import { linked } from "./line.js";
import { write } from "./template-refs.js";

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  refused: "Not connected",
  closed: "Disconnected",
};

/** Milliseconds out of sight. */
const ASK_AFTER = 30_000;

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function status(room, refs) {
  const pill = refs.find("pill");
  const word = refs.find("pill-text");
  const barred = refs.find("barred");
  const banner = refs.find("banner");
  const text = refs.find("banner-text");
  const count = refs.find("banner-count");
  const button = refs.find("banner-button", "button");
  let timer;

  function tick() {
    const seconds = Math.ceil((room.state.retryAt - Date.now()) / 1000);
    write(count, seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again…");
  }

  function show() {
    const { name, text: why, retryAt } = room.state;
    pill.dataset.state = name;
    write(word, WORDS[name]);
    clearInterval(timer);
    const out = name === "refused" && !room.about;
    if (out && barred.hidden) refs.find("barred-text").replaceChildren(...linked(why));
    barred.hidden = !out;
    // The first attempt is no trouble yet.
    banner.hidden = !why || out || name === "live" || name === "closed";
    if (banner.hidden) return;
    banner.dataset.tone = name === "refused" ? "danger" : "warn";
    write(text, name !== "refused" && room.me ? `${why} What you write is kept, and sent later.` : why);
    button.textContent = name !== "refused" ? "Try now" : refs.wholePage ? "Reload the page" : "Connect again";
    if (name === "refused") write(count, "");
    else if (retryAt === undefined) write(count, "Trying again…");
    else {
      tick();
      timer = setInterval(tick, 1000);
    }
  }

  // A phone that slept may take the connection for alive still: a question finds out.
  let hiddenSince = 0;
  refs.listen(document, "visibilitychange", () => {
    if (document.hidden) hiddenSince = Date.now();
    else if (room.state.retryAt !== undefined) room.reconnect(); // whoever looks does not wait
    else if (Date.now() - hiddenSince > ASK_AFTER) room.who().catch(() => {});
  });
  // A page may lie behind a login, which a reload leads to; somebody else's page around a box is not ours to reload.
  button.addEventListener("click", () => (room.state.name === "refused" && refs.wholePage ? location.reload() : room.reconnect()));
  refs.signal?.addEventListener("abort", () => clearInterval(timer));
  room.on("state", show);
  room.on("me", show);
  show();
}
