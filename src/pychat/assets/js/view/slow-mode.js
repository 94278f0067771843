/** Slow mode beside the message box: how long the user has to wait until the next message. */

import { duration, t } from "../words.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {() => void} changed called when a wait begins or ends
 * @returns {{readonly wait: number, begin(): void}} milliseconds until the next message; and what reads the log
 */
export function slowMode(room, refs, changed) {
  const line = refs.find("slow");
  /** When the last message of the user was stored, in milliseconds. */
  let sentAt = -Infinity;
  let timer;

  // The server's clock may be ahead of this computer's.
  const wait = () => (room.slow && !room.moderates ? Math.min(room.slow * 1000, Math.max(0, sentAt + room.slow * 1000 - Date.now())) : 0);

  function show() {
    clearTimeout(timer);
    const waited = line.classList.contains("waiting");
    const left = wait();
    line.hidden = !room.slow || room.moderates;
    line.classList.toggle("waiting", left > 0);
    line.title = room.slow ? t("composer.slow-every", { duration: duration(room.slow * 1000) }) : "";
    write(refs.find("slow-text", "span"), left > 0 ? t("composer.slow-next", { duration: duration(left) }) : t("composer.slow", { duration: duration(room.slow * 1000) }));
    if (left > 0) timer = setTimeout(show, left % 1000 || 1000);
    if (waited !== left > 0) changed();
  }

  room.on("message", ({ author }) => {
    if (author.id !== room.me?.id) return;
    sentAt = Date.now();
    show();
  });
  function begin() {
    const last = room.log.entries.findLast(({ own, state }) => own && state === "sent");
    if (last) sentAt = Math.max(sentAt, Date.parse(last.date));
    show();
  }

  room.on("welcome", begin);
  for (const event of ["room", "access", "me"]) room.on(event, show);
  refs.signal?.addEventListener("abort", () => clearTimeout(timer));

  return {
    begin,
    get wait() {
      return wait();
    },
  };
}
