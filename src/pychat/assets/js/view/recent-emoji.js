/** The emoji that the user reacted with last, for all rooms of this browser. */

import { browserStorage } from "../storage.js";

const KEY = "pychat:recent-emoji";
const FIRST = ["👍", "❤️", "😂", "😮", "😢", "🙏"];

/** @param {number} count @returns {string[]} the most recent first */
export function recentEmoji(count) {
  return [...new Set([...stored(), ...FIRST])].slice(0, count);
}

/** @param {string} emoji that was used */
export function rememberEmoji(emoji) {
  browserStorage().setItem(KEY, JSON.stringify([...new Set([emoji, ...stored()])].slice(0, FIRST.length)));
}

/** Another version of the page may have stored something else. */
function stored() {
  try {
    const list = JSON.parse(browserStorage().getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((one) => typeof one === "string" && one.length <= 32) : [];
  } catch {
    return [];
  }
}
