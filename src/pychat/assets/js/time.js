/** Dates as text. The caller passes the present time. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** "42 s", "5 min", "3 h", rounded up. @param {number} milliseconds @returns {string} */
export function duration(milliseconds) {
  if (milliseconds <= 2 * MINUTE) return `${Math.ceil(milliseconds / SECOND)} s`;
  if (milliseconds <= 2 * HOUR) return `${Math.ceil(milliseconds / MINUTE)} min`;
  return `${Math.ceil(milliseconds / HOUR)} h`;
}

/** "14:05", or "27 November, 14:05" on another day. @param {Date} date @param {Date} now @param {string} [locale] @returns {string} */
export function moment(date, now, locale = "en-GB") {
  const time = date.toLocaleTimeString(locale, { hour: "2-digit", minute: "2-digit" });
  if (dayKey(date) === dayKey(now)) return time;
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return `${date.toLocaleDateString(locale, { day: "numeric", month: "long", year })}, ${time}`;
}

/** The day in the reader's time zone, as YYYY-MM-DD. @param {Date} date @returns {string} */
export function dayKey(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}
