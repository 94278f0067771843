/** When to repeat a command that the server refused. */

/** Seconds to wait if the server names no time. */
const RETRY_AFTER = 2;
/** Seconds. If the server asks for a longer wait, the user decides. */
const MAX_WAIT = 60;
const TEMPORARY = new Set(["rate_limited", "unavailable"]);

/** Whether the same command may succeed later. @param {import("./refusal.js").Refusal} refusal @returns {boolean} */
export function isTemporary({ code, retryAfter }) {
  return retryAfter === undefined ? TEMPORARY.has(code) : retryAfter <= MAX_WAIT;
}

/**
 * Waits as long as the refusal asks for.
 * @param {{setTimeout(f: () => void, ms: number): any}} clock
 * @param {import("./refusal.js").Refusal} refusal
 * @returns {Promise<void>}
 */
export function pause(clock, { retryAfter = RETRY_AFTER }) {
  return new Promise((resolve) => clock.setTimeout(resolve, retryAfter * 1000));
}
