/** Filters of a search: `from:ada after:2026-01-31 before:2026-02-28`. The server reads them; this completes them. Pure. */

const DAY = /(?<!\S)(after|before):(\d{4})-(\d{2})-(\d{2})(?!\S)/giu;
const FILTER = /(?<!\S)(?:from|after|before):(?:"[^"]*"|\S+)(?!\S)/giu;

/**
 * The text that the server reads. Days are those of the reader's time zone.
 * @param {object} search
 * @param {string} search.text words, with or without filters
 * @param {string} [search.from] a part of an author's name
 * @param {string} [search.after] the first day, as YYYY-MM-DD
 * @param {string} [search.before] the last day
 * @returns {string}
 */
export function forServer({ text, from = "", after = "", before = "" }) {
  const name = from.replaceAll('"', "").trim();
  const last = before && dayAfter(before);
  const parts = [text.trim(), name && `from:"${name}"`, after && `after:${after}`, last && `before:${last}`];
  return parts.filter(Boolean).join(" ").replaceAll(DAY, (_, kind, year, month, day) => `${kind.toLowerCase()}:${instant(new Date(year, month - 1, day))}`);
}

/** The words of a search without its filters. @param {string} text @returns {string} */
export const wordsOf = (text) => text.replaceAll(FILTER, " ").trim();

/** The field names the last day that is wanted; the filter of the server ends before its date. */
function dayAfter(day) {
  const [year, month, date] = day.split("-").map(Number);
  const next = new Date(year, month - 1, date + 1);
  return [next.getFullYear(), String(next.getMonth() + 1).padStart(2, "0"), String(next.getDate()).padStart(2, "0")].join("-");
}

/** To the minute: 2026-01-31T23:00Z. */
const instant = (date) => (Number.isNaN(date.getTime()) ? "" : date.toISOString().replace(/:\d\d\.\d+Z$/, "Z"));
