/**
 * Shows the state of the connection: a word in the header, and a banner above the message box if there is a problem. A
 * user who is refused at once sees the reason in the middle of the view instead.
 */

import { duration } from "../time.js";
import { linked } from "./line.js";
import { write } from "./template-refs.js";

const WORDS = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting",
  refused: "Not connected",
  closed: "Disconnected",
};

/** What stands in place of a room, by the code of the refusal. */
const BARRED = {
  unknown_room: "There is no such room",
  no_access: "You cannot read this room any more",
  deleted: "This room was deleted",
};

const ROOM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Milliseconds in the background after which the connection is checked. */
const CHECK_AFTER = 30_000;

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs @param {string} [name] of the room, if it may be invalid */
export function status(room, refs, name = "") {
  const pill = refs.find("pill");
  const word = refs.find("pill-text");
  const barred = refs.find("barred");
  const banner = refs.find("banner");
  const text = refs.find("banner-text");
  const count = refs.find("banner-count");
  const button = refs.find("banner-button", "button");
  let timer;

  function tick() {
    const left = room.state.retryAt - Date.now();
    write(count, left > 0 ? `Trying again in ${duration(left)}.` : "Trying again…");
  }

  function show() {
    const { name: state, text: reason, retryAt } = room.state;
    pill.dataset.state = state;
    write(word, WORDS[state]);
    clearInterval(timer);
    const isBarred = state === "refused" && (!room.about || room.state.code in BARRED);
    if (isBarred && barred.hidden) {
      write(refs.find("barred-title", "h2"), BARRED[room.state.code] ?? "You cannot enter this room");
      // The title says all, except of a name that no room can have.
      const isSaid = room.state.code in BARRED && (!name || ROOM_NAME.test(name));
      const text = refs.find("barred-text");
      text.replaceChildren(...linked(reason));
      text.hidden = isSaid;
    }
    barred.hidden = !isBarred;
    // Then the connection is fine, or does not matter.
    pill.hidden = isBarred && room.state.code in BARRED;
    // No banner during the first attempt.
    banner.hidden = !reason || isBarred || state === "live" || state === "closed";
    if (banner.hidden) return;
    banner.dataset.tone = state === "refused" ? "danger" : "warn";
    write(text, state !== "refused" && room.me ? `${reason} Your messages are kept and sent later.` : reason);
    button.textContent = state !== "refused" ? "Try now" : refs.wholePage ? "Reload the page" : "Connect again";
    if (state === "refused") write(count, "");
    else if (retryAt === undefined) write(count, "Trying again…");
    else {
      tick();
      timer = setInterval(tick, 1000);
    }
  }

  // After sleep, a phone may report a dead connection as live: a request detects it.
  let hiddenSince = 0;
  refs.listen(document, "visibilitychange", () => {
    if (document.hidden) hiddenSince = Date.now();
    else if (room.state.retryAt !== undefined) room.reconnect(); // do not wait for the next attempt
    else if (Date.now() - hiddenSince > CHECK_AFTER) room.who().catch(() => {});
  });
  // A reload of the chat page may lead to a login; the element must not reload its host page.
  button.addEventListener("click", () => (room.state.name === "refused" && refs.wholePage ? location.reload() : room.reconnect()));
  refs.signal?.addEventListener("abort", () => clearInterval(timer));
  room.on("state", show);
  room.on("me", show);
  show();
}
