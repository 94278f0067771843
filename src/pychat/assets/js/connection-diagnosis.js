/**
 * Asks the server over plain HTTP why a connection fails: browsers hide from a script why a WebSocket was refused, and
 * hide responses that its origin may not read.
 */

import { Refusal } from "./refusal.js";

/** Milliseconds. */
const TIMEOUT = 8_000;

/**
 * @param {URL} base where pychat should be mounted @param {string} [room]
 * @returns {Promise<Refusal | undefined>} `undefined` if there is no answer or no refusal: trying again may help
 */
export async function diagnose(base, room) {
  let status, text;
  try {
    const response = await fetch(partAddress(base, room), { credentials: "omit", signal: AbortSignal.timeout(TIMEOUT) });
    status = response.status;
    text = await response.text();
  } catch {
    return undefined;
  }
  return refusalIn(status, text, base);
}

/** The URL of a room's markup, for pages of other sites. @param {URL} base @param {string} [room] @param {string} [language] @returns {URL} */
export function partAddress(base, room, language) {
  const address = new URL("part", base);
  if (room !== undefined) address.searchParams.set("room", room);
  if (language) address.searchParams.set("language", language);
  return address;
}

/** The refusal in a response from that URL, if any. @param {number} status @param {string} text @param {URL} base @returns {Refusal | undefined} */
export function refusalIn(status, text, base) {
  // A proxy sends one of these if its server is down.
  if (status === 0 || status === 429 || status >= 500) return undefined;
  if (status === 200 && text.includes("data-pychat")) return undefined;
  try {
    const { ok, error } = JSON.parse(text);
    if (ok === false && error.code) return Refusal.from(error);
  } catch {
    // The response is not pychat's.
  }
  return new Refusal("no_chat", `There is no pychat at ${base.href} (${status} for ${partAddress(base).href}).`);
}
