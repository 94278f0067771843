/**
 * Shows the state of the connection: a word in the header, and a banner above the message box if there is a problem. A
 * user who is refused at once sees the reason in the middle of the view instead.
 */

import { renderText } from "../writing/render.js";
import { BARRED, barredTitle, farewell, wayBack } from "./farewell-words.js";
import { duration, has, t } from "../words.js";
import { write } from "./template-refs.js";

const ROOM_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Milliseconds that a timer can wait. */
const MAX_TIMER = 2 ** 31 - 1;
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
  const again = refs.find("barred-again", "button");
  let timer;
  let ending;

  function tick() {
    const left = room.state.retryAt - Date.now();
    write(count, left > 0 ? t("status.again-in", { duration: duration(left) }) : t("status.trying"));
  }

  function show() {
    const { name: state, text: reason, retryAt } = room.state;
    pill.dataset.state = state;
    write(word, t(`status.${state}`));
    clearInterval(timer);
    clearTimeout(ending);
    const now = new Date();
    const left = state === "refused" && room.state.until ? Date.parse(room.state.until) - now : 0;
    if (left > 0) ending = setTimeout(show, Math.min(left + 50, MAX_TIMER));
    const isBarred = state === "refused" && (!room.about || BARRED.has(room.state.code));
    if (isBarred) {
      write(refs.find("barred-title", "h2"), barredTitle(room.state.code));
      // The title says all, except of a name that no room can have.
      const isSaid = BARRED.has(room.state.code) && room.state.code !== "entry_required" && (!name || ROOM_NAME.test(name));
      const text = refs.find("barred-text");
      const told = isSaid ? "" : farewell(room.state, now);
      if (text.textContent !== told) text.replaceChildren(...renderText(told, { plain: true }));
      text.hidden = !told;
      const isClosed = room.state.code === "room_closed";
      write(again, isClosed ? t("common.try-again") : t("barred.enter-again"));
      again.hidden = !isClosed && (!room.state.until || left > 0);
    }
    barred.hidden = !isBarred;
    // Then the connection is fine, or does not matter.
    pill.hidden = isBarred && BARRED.has(room.state.code);
    // No banner during the first attempt.
    banner.hidden = !reason || isBarred || state === "live" || state === "closed";
    if (banner.hidden) return;
    banner.dataset.tone = state === "refused" ? "danger" : "warn";
    write(text, state === "refused" ? farewell(room.state, now) : lostWords(room));
    const back = state === "refused" ? wayBack(room.state, now, refs.wholePage) : { label: t("status.try-now") };
    button.hidden = !back;
    if (back) button.textContent = back.label;
    button.dataset.reload = back?.reload ? "yes" : "";
    if (state === "refused") write(count, "");
    else if (retryAt === undefined) write(count, t("status.trying"));
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
  button.addEventListener("click", () => (button.dataset.reload ? location.reload() : room.reconnect()));
  again.addEventListener("click", () => room.reconnect());
  refs.signal?.addEventListener("abort", () => {
    clearInterval(timer);
    clearTimeout(ending);
  });
  room.on("state", show);
  room.on("me", show);
  show();
}

/** Why there is no connection; whoever writes also reads that nothing is lost. */
function lostWords({ state: { text, why }, me }) {
  const reason = has(`status.why.${why}`) ? t(`status.why.${why}`) : text;
  return me ? t("status.kept", { reason }) : reason;
}
