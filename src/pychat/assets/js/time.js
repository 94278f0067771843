/** Days in the reader's time zone; words.js has dates as text. */

/** The day as YYYY-MM-DD. @param {Date} date @returns {string} */
export function dayKey(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}
