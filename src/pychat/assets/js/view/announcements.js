/** Tells a screen reader of new messages of others, each once and briefly. Many at once are told as a number. */

import { action } from "../action.js";
import { t } from "../words.js";
import { make } from "./elements.js";

/** Milliseconds that messages are collected, and between two announcements. */
const PAUSE = 500;
const INTERVAL = 4000;
/** More messages are told as a number. */
const MAX = 3;
const LENGTH = 200;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 */
export function announcements(room, refs) {
  const region = refs.find("announcements");
  let waiting = [];
  let timer;
  let last = -Infinity;

  function hear({ author, text }) {
    if (author.id === room.me?.id || room.blocks(author.id) || !refs.root.isConnected) return;
    waiting.push({ author, text });
    timer ??= setTimeout(tell, Math.max(PAUSE, INTERVAL - (performance.now() - last)));
  }

  function tell() {
    timer = undefined;
    last = performance.now();
    const words = waiting.length > MAX ? [t("log.new", { count: waiting.length })] : waiting.map(brief);
    waiting = [];
    region.replaceChildren(...words.map((one) => make("p", { dir: "auto" }, one)));
  }

  room.on("message", hear);
  room.on("whisper", hear);
  refs.signal?.addEventListener("abort", () => clearTimeout(timer));
}

function brief({ author, text }) {
  const performed = action(text);
  const short = (words) => (words.length > LENGTH ? `${words.slice(0, LENGTH)}…` : words);
  return performed ? `${author.name} ${short(performed)}` : `${author.name}: ${short(text)}`;
}
