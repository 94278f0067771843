/**
 * Solves a challenge of the server (ALTCHA, version 2, PBKDF2) with the browser's own cryptography: the counter whose
 * key begins as the challenge says.
 */

import { Refusal } from "../refusal.js";

/** Keys derived at once; the browser has threads of its own for them. */
const BATCH = 16;
/** Keys after which the challenge is taken for one that has no solution. */
const MAX_KEYS = 200_000;
/** Keys that most challenges of this server take; only the progress depends on it. */
const USUAL_KEYS = 1000;

/**
 * @param {{parameters: {algorithm: string, cost: number, keyLength: number, keyPrefix: string, nonce: string, salt: string}, signature: string}} challenge
 * @param {object} [options]
 * @param {(done: number) => void} [options.progress] called with a share from 0 to 1
 * @param {AbortSignal} [options.signal] ends it
 * @returns {Promise<{challenge: object, solution: {counter: number, derivedKey: string}}>}
 * @throws {Refusal} `unsupported` or `aborted`
 */
export async function solve(challenge, { progress = () => {}, signal } = {}) {
  const { algorithm, cost, keyLength, keyPrefix, nonce, salt } = challenge.parameters;
  const [kind, hash] = algorithm.split("/");
  // Browsers have it on https and on localhost only.
  if (!globalThis.crypto?.subtle) throw new Refusal("unsupported", "This check needs a secure connection. Open this page by https.");
  if (kind !== "PBKDF2") throw new Refusal("unsupported", "This page cannot solve the server's check. Load the page again.");
  const derive = async (counter) => {
    const key = await crypto.subtle.importKey("raw", password(bytes(nonce), counter), "PBKDF2", false, ["deriveBits"]);
    return hex(await crypto.subtle.deriveBits({ name: "PBKDF2", hash, salt: bytes(salt), iterations: cost }, key, keyLength * 8));
  };
  for (let first = 0; first < MAX_KEYS; first += BATCH) {
    if (signal?.aborted) throw new Refusal("aborted", "The check was cancelled.");
    const keys = await Promise.all(Array.from({ length: BATCH }, (_, at) => derive(first + at)));
    const found = keys.findIndex((key) => key.startsWith(keyPrefix.toLowerCase()));
    if (found >= 0) return { challenge, solution: { counter: first + found, derivedKey: keys[found] } };
    progress(Math.min(0.95, (first + BATCH) / USUAL_KEYS));
  }
  throw new Refusal("unsupported", "This check has no solution. Try again.");
}

/** The nonce, then the counter in four bytes. */
function password(nonce, counter) {
  const made = new Uint8Array(nonce.length + 4);
  made.set(nonce);
  new DataView(made.buffer).setUint32(nonce.length, counter);
  return made;
}

const bytes = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
