/** All emoji with their names in the reader's language. Loaded when somebody first looks for one. */

import { wordsLanguage } from "../words.js";

/**
 * @typedef {object} Emoji
 * @property {string} emoji
 * @property {number} group
 * @property {string} name
 * @property {string[]} short names such as `tada`
 * @property {string[]} tags
 * @property {boolean} tones whether it has skin tones
 */

const URLS = "../../vendor/emoji";
const LANGUAGES = new Set(["de", "en", "es", "fr", "hi", "it", "ja", "pl", "pt", "zh"]);

/** @type {Promise<Emoji[]> | undefined} */
let loading;

/** @returns {Promise<Emoji[]>} in the order of Unicode */
export function emoji() {
  loading ??= load();
  loading.catch(() => (loading = undefined));
  return loading;
}

async function load() {
  const language = wordsLanguage().split("-")[0];
  const [english, local] = await Promise.all([fetchRows("en"), LANGUAGES.has(language) && language !== "en" ? fetchRows(language).catch(() => []) : []]);
  const names = new Map(local.map(([one, , name, , tags]) => [one, { name, tags }]));
  return english.map(([one, group, name, short, tags, tones]) => {
    const own = names.get(one);
    return { emoji: one, group, name: own?.name ?? name, short, tags: own ? [...own.tags, ...tags] : tags, tones: !!tones };
  });
}

async function fetchRows(language) {
  const response = await fetch(new URL(`${URLS}/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`${response.url}: ${response.status}`);
  return response.json();
}

/**
 * The emoji that words can mean, the likeliest first.
 * @param {Emoji[]} all @param {string} words @param {number} limit
 * @returns {Emoji[]}
 */
export function search(all, words, limit) {
  const wanted = words.trim().toLocaleLowerCase();
  if (!wanted) return [];
  const rank = ({ short, name, tags }) => {
    if (short.includes(wanted)) return 0;
    if (short.some((one) => one.startsWith(wanted))) return 1;
    const lower = name.toLocaleLowerCase();
    if (lower.startsWith(wanted)) return 2;
    if (lower.split(/[\s_-]+/u).some((word) => word.startsWith(wanted))) return 3;
    if (tags.some((tag) => tag.toLocaleLowerCase().startsWith(wanted))) return 4;
    return short.some((one) => one.includes(wanted)) || lower.includes(wanted) ? 5 : 6;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((found) => found.rank < 6)
    .sort((a, b) => a.rank - b.rank)
    .slice(0, limit)
    .map(({ one }) => one);
}
