/**
 * Asks over plain HTTP why a room cannot be connected to: of a WebSocket that was refused, browsers tell a script
 * nothing, and of an answer that it may not read, neither.
 */

import { Refusal } from "./refusal.js";

/** Milliseconds. */
const WITHIN = 8_000;

/**
 * @param {URL} base where pychat should be mounted @param {string} [room]
 * @returns {Promise<Refusal | undefined>} nothing where nobody answers, or nothing speaks against it: trying again may help
 */
export async function diagnose(base, room) {
  let status, text;
  try {
    const response = await fetch(partAddress(base, room), { credentials: "omit", signal: AbortSignal.timeout(WITHIN) });
    status = response.status;
    text = await response.text();
  } catch {
    return undefined;
  }
  return refusalIn(status, text, base);
}

/** Where a room is described, for pages of others. @param {URL} base @param {string} [room] @returns {URL} */
export function partAddress(base, room) {
  const address = new URL("part", base);
  if (room !== undefined) address.searchParams.set("room", room);
  return address;
}

/** What an answer from there refuses, if it does. @param {number} status @param {string} text @param {URL} base @returns {Refusal | undefined} */
export function refusalIn(status, text, base) {
  // A proxy whose server is away says so by one of these.
  if (status === 0 || status === 429 || status >= 500) return undefined;
  if (status === 200 && text.includes("data-pychat")) return undefined;
  try {
    const { ok, error } = JSON.parse(text);
    if (ok === false && error.code) return Refusal.from(error);
  } catch {
    // Whoever answered is no chat.
  }
  return new Refusal("no_chat", `There is no pychat at ${base.href} (${status} for ${partAddress(base).href}).`);
}
