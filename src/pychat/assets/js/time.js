/** Moments in words. Takes the time and never reads a clock. */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/**
 * "just now", "5 min ago", "3 h ago", "2 days ago", then the date. A moment in the future, where this computer's
 * clock is behind the server's, is "just now".
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

/** All of it, for who asks. @param {Date} date @param {string} [locale] as the reader's system writes it */
export function exact(date, locale) {
  return date.toLocaleString(locale, { dateStyle: "full", timeStyle: "medium" });
}

/** The day where the reader is, for telling days apart. @param {Date} date @returns {string} */
export function dayKey(date) {
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, "0")}-${String(date.getDate()).padStart(2, "0")}`;
}

/** "Today", "Yesterday", "Monday 5 January". @param {Date} date @param {Date} now @param {string} [locale] */
export function day(date, now, locale = "en-GB") {
  if (dayKey(date) === dayKey(now)) return "Today";
  // Noon: a day that is 23 hours long for the change of clocks still has yesterday before it.
  const noon = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12);
  if (dayKey(date) === dayKey(new Date(noon - DAY))) return "Yesterday";
  const year = date.getFullYear() === now.getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString(locale, { weekday: "long", day: "numeric", month: "long", year });
}
