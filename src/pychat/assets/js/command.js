/** Tells commands such as `/nick Ada` from texts. Pure. */

import { action } from "./action.js";

const COMMAND = /^\/([a-z]+)(?:\s+([\s\S]*))?$/i;

/**
 * The command in a text; `undefined` if it is a message: `/me waves`, `//text`, `/usr/bin`.
 * @param {string} text
 * @returns {{name: string, rest: string} | undefined}
 */
export function commandIn(text) {
  if (action(text)) return undefined;
  const [found, name, rest = ""] = COMMAND.exec(text) ?? [];
  return found === undefined ? undefined : { name: name.toLowerCase(), rest: rest.trim() };
}

/**
 * The message that a text means: a doubled slash at its beginning stands for one.
 * @param {string} text
 * @returns {string}
 */
export function unescaped(text) {
  if (!text.startsWith("//")) return text;
  const literal = text.slice(1);
  // With a space before it, it is no action.
  return action(literal) ? ` ${literal}` : literal;
}
