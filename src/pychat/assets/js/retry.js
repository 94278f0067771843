/** When to repeat a command that the server refused. */

/** Seconds to wait if the server names no time. */
const RETRY_AFTER = 2;
/** Seconds. If the server asks for a longer wait, the user decides. */
const MAX_WAIT = 60;
/** Seconds that a user does not notice much. */
const SHORT_WAIT = 3;
const TEMPORARY = new Set(["rate_limited", "slow_mode", "unavailable"]);

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

/**
 * Executes a command, and once more if the server asks for a short wait: a page sends commands of its own when it opens.
 * @template T
 * @param {{setTimeout(f: () => void, ms: number): any}} clock
 * @param {() => Promise<T>} command
 * @returns {Promise<T>}
 */
export async function patiently(clock, command) {
  try {
    return await command();
  } catch (refusal) {
    if (refusal.code !== "rate_limited" || !(refusal.retryAfter <= SHORT_WAIT)) throw refusal;
    await pause(clock, refusal);
    return command();
  }
}
