/** Tells a screen reader of new messages of others, each once and briefly. Many at once are told as a number. */

import { action } from "../action.js";
import { t } from "../words.js";
import { make } from "./elements.js";

/** Milliseconds that messages are collected, and between two announcements. */
const PAUSE = 500;
const INTERVAL = 4000;
/** Milliseconds after which words that were told are gone: nobody should find them again. */
const KEPT = 20_000;
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
  let clearing;

  function hear({ author, text, seq }) {
    if (author.id === room.me?.id || room.blocks(author.id) || !refs.root.isConnected) return;
    waiting.push({ author, text, seq });
    timer ??= setTimeout(tell, Math.max(PAUSE, INTERVAL - (performance.now() - last)));
  }

  function tell() {
    timer = undefined;
    if (!waiting.length) return;
    last = performance.now();
    const count = waiting.length;
    const words = count > MAX ? [make("p", {}, t("log.new", { count }))] : waiting.map(brief);
    waiting = [];
    region.replaceChildren(...words);
    clearTimeout(clearing);
    clearing = setTimeout(() => region.replaceChildren(), KEPT);
  }

  room.on("message", hear);
  room.on("whisper", hear);
  room.on("deleted", ({ target }) => {
    waiting = waiting.filter(({ seq }) => seq !== target);
    region.querySelector(`[data-seq="${Number(target)}"]`)?.remove();
  });
  refs.signal?.addEventListener("abort", () => {
    clearTimeout(timer);
    clearTimeout(clearing);
  });
}

function brief({ author, text, seq }) {
  const performed = action(text);
  const short = (words) => (words.length > LENGTH ? `${words.slice(0, LENGTH)}…` : words);
  const words = performed ? `${author.name} ${short(performed)}` : `${author.name}: ${short(text)}`;
  return make("p", { dir: "auto", "data-seq": seq }, words);
}
