/** Brings a room's markup from its server: that of pychat's own page, without what only a page has. */

import { diagnose, partAddress } from "../connection-diagnosis.js";

/** Milliseconds. */
const WITHIN = 10_000;

/**
 * @param {URL} base @param {string | undefined} room @param {AbortSignal} signal
 * @returns {Promise<HTMLElement | import("../refusal.js").Refusal | undefined>} nothing where nobody answers
 */
export async function frameOf(base, room, signal) {
  const found = await documentAt(partAddress(base, room), signal);
  const frame = found?.querySelector("[data-pychat]");
  if (frame) return document.importNode(frame, true);
  return signal.aborted ? undefined : diagnose(base, room);
}

/** The browser's own parser makes nodes of an answer: no text is made markup here, so Trusted Types have nothing to trust. */
function documentAt(address, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", address.href);
    request.responseType = "document";
    request.timeout = WITHIN;
    request.onloadend = () => resolve(request.status === 200 ? request.response : null);
    signal.addEventListener("abort", () => request.abort());
    request.send();
  });
}
