/** Loads a room's markup from its server: the markup of the chat page without the parts that only a page needs. */

import { diagnose, partAddress } from "../connection-diagnosis.js";
import { readWords } from "../view/read-words.js";

/** Milliseconds. */
const TIMEOUT = 10_000;

/**
 * Also sets the words of the interface, which come with the markup.
 * @param {URL} base @param {string | undefined} room @param {string} language empty for that of the browser @param {AbortSignal} signal
 * @returns {Promise<HTMLElement | import("../refusal.js").Refusal | undefined>} `undefined` if there is no answer
 */
export async function loadFrame(base, room, language, signal) {
  const found = await loadDocument(partAddress(base, room, language), signal);
  const frame = found?.querySelector("[data-pychat]");
  if (found) readWords(found, base);
  if (frame) return imported(frame);
  return signal.aborted ? undefined : diagnose(base, room);
}

/** A copy for this page: addresses in the markup are relative to the chat. */
function imported(frame) {
  for (const picture of frame.querySelectorAll("img")) picture.setAttribute("src", picture.src);
  const copy = document.importNode(frame, true);
  if (copy.dataset.accent) copy.style.setProperty("--chat-accent", copy.dataset.accent);
  return copy;
}

/** Loads a document with XMLHttpRequest: the browser parses it, so Trusted Types need no exception. */
function loadDocument(address, signal) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("GET", address.href);
    request.responseType = "document";
    request.timeout = TIMEOUT;
    request.onloadend = () => resolve(request.status === 200 ? request.response : null);
    signal.addEventListener("abort", () => request.abort());
    request.send();
  });
}
