/** Beside the message box: why the last message of the user is not sent yet, and for how long it has to wait. */

import { duration, refusalText, t } from "../words.js";
import { write } from "./template-refs.js";

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function waiting(room, refs) {
  const line = refs.find("say-wait", "p");
  const text = refs.find("say-wait-text", "span");
  const count = refs.find("say-wait-count", "span");
  /** The message, and when it is sent again, in milliseconds. */
  let entry = null;
  let until = 0;
  let timer;

  function show() {
    clearTimeout(timer);
    const { state, error } = entry ?? {};
    line.hidden = !error && state !== "held";
    if (line.hidden) return;
    write(text, state === "held" ? t("composer.held") : state === "failed" ? t("composer.failed", { reason: refusalText(error) }) : refusalText(error));
    const left = waits() ? until - Date.now() : 0;
    // The seconds are not announced: a live region would speak at each.
    write(count, left > 0 ? t("composer.again-in", { duration: duration(left) }) : "");
    if (left > 0) timer = setTimeout(show, left % 1000 || 1000);
  }

  /** Whether the message waits to be sent again. */
  const waits = () => entry?.state === "pending";

  room.on("log", ({ kind, entry: changed }) => {
    const same = !!changed && changed.id === entry?.id;
    if (kind === "reset" || (kind === "remove" && same)) entry = null;
    else if (kind === "add" && changed.own && !waits()) entry = null;
    else if (kind === "change" && changed.own && (changed.error || changed.state === "held")) {
      entry = changed;
      until = Date.now() + (changed.error?.retryAfter ?? 0) * 1000;
    } else if (same) entry = changed;
    else return;
    show();
  });
  refs.signal?.addEventListener("abort", () => clearTimeout(timer));
}
