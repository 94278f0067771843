/** Loads the words of the interface where there is no markup of a room that brings them. */

import { useWords } from "../words.js";

/** Milliseconds. */
const TIMEOUT = 8_000;
/** One request for all elements of a page. @type {Map<string, Promise<void>>} */
const loading = new Map();

/** Without an answer, the words stay what they are. @param {URL} base of the mount @param {string} language empty for that of the browser */
export function loadWords(base, language) {
  const address = new URL("words.json", base);
  if (language) address.searchParams.set("language", language);
  const begun = loading.get(address.href) ?? load(address);
  loading.set(address.href, begun);
  return begun;
}

async function load(address) {
  try {
    const response = await fetch(address, { credentials: "omit", signal: AbortSignal.timeout(TIMEOUT) });
    if (response.ok) useWords(await response.json());
  } catch {
    loading.delete(address.href);
  }
}

/** The language of an element: its own attribute, or that of the text around it. @param {Element} element @returns {string} */
export const languageOf = (element) => element.getAttribute("language") ?? element.closest("[lang]")?.lang ?? "";
