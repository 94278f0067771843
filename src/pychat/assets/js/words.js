/**
 * The words of the interface in the reader's language, and numbers, lists and dates as that language writes them. The
 * page and the element read the words from their markup and pass them to `useWords` before they show anything.
 */

const DAY = 24 * 60 * 60 * 1000;
/** Seconds, the largest first. */
const UNITS = { week: 604_800, day: 86_400, hour: 3600, minute: 60, second: 1 };

let words = {};
let language = "en";
let all = ["en"];
let tag = "en";
/** Where the words are that the page did not bring; `null` if it has all. @type {URL | null} */
let rest = null;
/** Formatters are costly to make. @type {Map<string, object>} */
let made = new Map();

/**
 * Sets the language for all that is shown from now on.
 * @param {{language: string, languages?: string[], words: Record<string, string | Record<string, string>>}} catalogue
 * @param {URL | null} [more] where the words are that are missing in it
 */
export function useWords(catalogue, more = null) {
  ({ language, words } = catalogue);
  rest = more;
  all = catalogue.languages ?? [language];
  // The reader's own region, for the order of dates: de-AT, en-US.
  const base = language.split("-")[0];
  tag = globalThis.navigator?.languages?.find((one) => one.split("-")[0] === base) ?? language;
  made = new Map();
}

/**
 * Waits for a script that is loaded on demand, and for its words: `withWords(import("./x.js"))`.
 * @template T @param {Promise<T>} script @returns {Promise<T>} rejects if one of them cannot be loaded
 */
export async function withWords(script) {
  await Promise.all([script, loadRest()]);
  return script;
}

async function loadRest() {
  const from = rest;
  if (!from) return;
  const response = await fetch(from);
  if (!response.ok) throw new Error(`${from}: ${response.status}`);
  const all = await response.json();
  if (rest === from) ({ words } = all), (rest = null);
}

/** The tag of the reader's language, with the region if the browser tells it: for `Intl`. @returns {string} */
export const locale = () => tag;

/** The language of the words, as in `lang`. @returns {string} */
export const wordsLanguage = () => language;

/** The tags of all languages of the chat. @returns {string[]} */
export const languages = () => all;

/** Whether there are words for a key. @param {string} key @returns {boolean} */
export const has = (key) => Object.hasOwn(words, key);

/**
 * The words of a key. `{name}` in them stands for a value; numbers are formatted. Of words with plurals, `count` picks
 * the form.
 * @param {string} key @param {Record<string, string | number>} [values] @returns {string}
 */
export function t(key, values = {}) {
  return parts(key, values).map(String).join("");
}

/**
 * The same with elements among the values, such as a name in `<bdi>`.
 * @param {string} key @param {Record<string, string | number | Node>} values @returns {(string | Node)[]}
 */
export function pieces(key, values) {
  return parts(key, values).filter((part) => part !== "");
}

function parts(key, values) {
  let text = words[key] ?? key;
  if (typeof text === "object") text = text[formatter(Intl.PluralRules, {}).select(values.count)] ?? text.other;
  return text.split(/\{(\w+)\}/).map((part, index) => {
    if (index % 2 === 0) return part;
    const value = values[part];
    return typeof value === "number" ? number(value) : (value ?? `{${part}}`);
  });
}

/**
 * What a refusal says in the reader's language. The server's texts are English and say more, so English readers get
 * these, and so does everybody where an application refuses with a code of its own.
 * @param {{code?: string, text?: string}} refusal @returns {string}
 */
export function refusalText({ code, text = "" }) {
  const key = `error.${code}`;
  if (!has(key) || (text && language.split("-")[0] === "en")) return text;
  // A moderator's reason stands in brackets at the end of a sentence.
  const reason = ["kicked", "banned", "muted"].includes(code) && /\((.+)\)\./.exec(text)?.[1];
  return reason ? t("error.because", { text: t(key), reason }) : t(key);
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] @returns {string} */
export const number = (value, options = {}) => formatter(Intl.NumberFormat, options).format(value);

/** "Ada, Bob and Cy". @param {string[]} items @param {Intl.ListFormatOptions} [options] @returns {string} */
export const list = (items, options = {}) => formatter(Intl.ListFormat, options).format(items);

/** The same with elements among the items. @param {(string | Node)[]} items @returns {(string | Node)[]} */
export function listPieces(items) {
  const names = items.map((_, index) => String(index));
  return formatter(Intl.ListFormat, {}).formatToParts(names).map(({ type, value }) => (type === "element" ? items[Number(value)] : value));
}

/** "14:05", in all languages: it stands in narrow columns. @param {Date} date @returns {string} */
export const time = (date) => format(date, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** "Today", "Yesterday", "Monday 5 January". @param {Date} date @param {Date} [now] @returns {string} */
export function day(date, now = new Date()) {
  // Noon: subtracting 24 hours gives yesterday on days of 23 or 25 hours, too.
  const noon = new Date(now.getFullYear(), now.getMonth(), now.getDate(), 12);
  for (const ago of [0, 1]) {
    if (sameDay(date, new Date(noon.getTime() - ago * DAY))) return capital(formatter(Intl.RelativeTimeFormat, { numeric: "auto" }).format(-ago, "day"));
  }
  return capital(format(date, { weekday: "long", day: "numeric", month: "long", year: yearOf(date, now) }));
}

/** "14:05", or "27 November, 14:05" on another day. @param {Date} date @param {Date} [now] @returns {string} */
export function moment(date, now = new Date()) {
  if (sameDay(date, now)) return time(date);
  return format(date, { day: "numeric", month: "long", year: yearOf(date, now), hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
}

/** The full date and time. @param {Date} date @returns {string} */
export const exact = (date) => format(date, { dateStyle: "full", timeStyle: "medium" });

/** "42 sec", "5 min", "3 hr", rounded up. @param {number} milliseconds @returns {string} */
export function duration(milliseconds) {
  const seconds = milliseconds / 1000;
  const [value, unit] = seconds <= 120 ? [seconds, "second"] : seconds <= 7200 ? [seconds / 60, "minute"] : [seconds / 3600, "hour"];
  return number(Math.ceil(value), { style: "unit", unit, unitDisplay: "short" });
}

/** "10 minutes", "1 hour", "1 week", in the largest unit that is whole. @param {number} seconds @returns {string} */
export function span(seconds) {
  const [unit, size] = Object.entries(UNITS).find(([, size]) => seconds % size === 0);
  return number(seconds / size, { style: "unit", unit, unitDisplay: "long" });
}

/** "5 min. ago"; after a week the date. A date in the future is now: clocks differ. @param {Date} date @param {Date} [now] @returns {string} */
export function ago(date, now = new Date()) {
  const seconds = Math.max(0, (now - date) / 1000);
  if (seconds >= UNITS.week) return format(date, { day: "numeric", month: "short", year: yearOf(date, now) });
  const [unit, size] = Object.entries(UNITS).find(([, size]) => seconds >= size) ?? ["second", Infinity];
  return formatter(Intl.RelativeTimeFormat, { numeric: "auto", style: "short" }).format(-Math.floor(seconds / size), unit);
}

/** @param {Date} date @param {Intl.DateTimeFormatOptions} options @returns {string} */
export const format = (date, options) => formatter(Intl.DateTimeFormat, options).format(date);

const sameDay = (one, other) => one.toDateString() === other.toDateString();
const yearOf = (date, now) => (date.getFullYear() === now.getFullYear() ? undefined : "numeric");
const capital = (text) => text.slice(0, 1).toLocaleUpperCase(tag) + text.slice(1);

/** A formatter for the reader's language, made once. */
function formatter(Formatter, options) {
  const key = Formatter.name + JSON.stringify(options);
  const found = made.get(key) ?? new Formatter(tag, options);
  made.set(key, found);
  return found;
}
