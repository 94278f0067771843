/** Dates as text. The caller passes the present time. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * "just now", "5 min ago", "3 h ago", "2 days ago", then the date. A date in the future gives "just now": this
 * computer's clock may be behind the server's.
 * @param {Date} date @param {Date} now @param {string} [locale]
 * @returns {string}
 */
export function relative(date, now, locale = "en") {
  const age = now - date;
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  if (age < DAY) return `${Math.floor(age / HOUR)} h ago`;
  if (age < 7 * DAY) {
    const days = Math.floor(age / DAY);
    return days === 1 ? "1 day ago" : `${days} days ago`;
  }
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { day: "numeric", month: "short", year });
}

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

/** The full date and time. @param {Date} date @param {string} [locale] by default the system's */
export function exact(date, locale) {
  return date.toLocaleString(locale, { dateStyle: "full", timeStyle: "medium" });
}

/** The day in the reader's time zone, as YYYY-MM-DD. @param {Date} date @returns {string} */
export function dayKey(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

/** "Today", "Yesterday", "Monday 5 January". @param {Date} date @param {Date} now @param {string} [locale] */
export function day(date, now, locale = "en-GB") {
  if (dayKey(date) === dayKey(now)) return "Today";
  // Noon: subtracting 24 hours gives yesterday on days of 23 or 25 hours, too.
  const noon = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12);
  if (dayKey(date) === dayKey(new Date(noon - DAY))) return "Yesterday";
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year });
}
