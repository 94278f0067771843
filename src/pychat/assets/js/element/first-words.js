/** The words that the elements have before the chat answers, and if it never does. */

import { has, useWords } from "../words.js";

/** As in languages/en.json. */
const WORDS = {
  "element.again-in": "Trying again in {duration}.",
  "element.no_chat": "The chat is not here",
  "element.no_chat.why": "There is no chat at this address.",
  "element.opening": "Opening the chat…",
  "element.origin_refused": "The chat is not open to this page",
  "element.origin_refused.why": "The operators of the chat must allow this website first.",
  "element.refused": "The chat cannot be opened",
  "element.try-again": "Try again",
  "element.try-now": "Try now",
  "element.unknown_room": "There is no such room",
  "element.unknown_room.why": "This chat has no room of that name.",
  "element.unreachable": "The chat cannot be reached",
  "unread.mentions": { one: "{count} mention of you", other: "{count} mentions of you" },
  "unread.messages": { one: "{count} unread message", other: "{count} unread messages" },
};

if (!has("element.opening")) useWords({ language: "en", words: WORDS });
