/** The dialog with all emoji: by groups, with a search, skin tones, and those that were used last. Loaded when it is first opened. */

import { browserStorage } from "../storage.js";
import { closeOutside } from "../dialogs/ask.js";
import { make } from "../view/elements.js";
import { recentEmoji, rememberEmoji } from "../view/recent-emoji.js";
import { hasKeys } from "../view/template-refs.js";
import { t } from "../words.js";
import { emoji, search } from "./emoji.js";

/** Of Unicode; 2 has parts of others. */
const GROUPS = { 0: "smileys", 1: "people", 3: "animals", 4: "food", 5: "travel", 6: "activities", 7: "objects", 8: "symbols", 9: "flags" };
const ICONS = { recent: "🕘", smileys: "😀", people: "👋", animals: "🐻", food: "🍎", travel: "🚗", activities: "⚽", objects: "💡", symbols: "❤️", flags: "🏁" };
const TONES = ["", "\u{1f3fb}", "\u{1f3fc}", "\u{1f3fd}", "\u{1f3fe}", "\u{1f3ff}"];
const MAX_FOUND = 80;
const MAX_RECENT = 16;

const storage = browserStorage();
const TONE = "pychat:emoji:tone";

/**
 * @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {HTMLElement} at the control that opens it
 * @param {(emoji: string) => void} chosen called after the dialog has closed
 */
export async function pickEmoji(refs, at, chosen) {
  const all = await emoji();
  const byEmoji = new Map(all.map((one) => [one.emoji, one]));
  let tone = Number(storage.getItem(TONE)) || 0;

  /** In the skin tone of the user. */
  const toned = ({ emoji: one, tones }) => (tones && tone ? withTone(one, TONES[tone]) : one);

  function button(one) {
    const shown = toned(one);
    return make("button", { class: "emoji-one", type: "button", tabindex: -1, "data-emoji": shown, "aria-label": one.name, title: one.short[0] ? `${one.name} :${one.short[0]}:` : one.name }, shown);
  }

  const field = make("input", { class: "field", type: "text", maxlength: 40, autocomplete: "off", spellcheck: false, autofocus: hasKeys(), enterkeyhint: "done", placeholder: t("emoji-picker.search"), "aria-label": t("emoji-picker.search"), input: draw });
  const tones = make("button", { class: "tool emoji-tone", type: "button", "aria-label": t("emoji-picker.tone"), title: t("emoji-picker.tone"), click: nextTone });
  const tabs = make("div", { class: "emoji-tabs", role: "toolbar", "aria-label": t("emoji-picker.groups") });
  const grid = make("div", { class: "emoji-grid" });
  const none = make("p", { class: "hint", role: "status" });
  const dialog = make("dialog", { class: "picker emoji-picker", autofocus: !hasKeys(), tabindex: -1, part: "dialog", "aria-label": t("emoji-picker.title") }, make("div", { class: "emoji-top" }, field, tones), tabs, grid, none);

  function nextTone() {
    tone = (tone + 1) % TONES.length;
    storage.setItem(TONE, String(tone));
    draw();
  }

  function draw() {
    tones.textContent = `✋${TONES[tone]}`;
    const words = field.value.trim();
    tabs.hidden = !!words;
    const found = words ? search(all, words, MAX_FOUND) : [];
    none.textContent = words && !found.length ? t("emoji-picker.none") : "";
    grid.replaceChildren(...(words ? [rows(found)] : groups()));
    const first = grid.querySelector("button");
    if (first) first.tabIndex = 0;
  }

  const rows = (of) => make("div", { class: "emoji-rows" }, ...of.map(button));

  function groups() {
    const recent = recentEmoji(MAX_RECENT).map((one) => byEmoji.get(one) ?? { emoji: one, name: one, short: [], tags: [], tones: false });
    const lists = [...(recent.length ? [["recent", recent]] : []), ...Object.entries(GROUPS).map(([group, key]) => [key, all.filter((one) => one.group === Number(group))])];
    const sections = lists.map(([key, of]) => make("section", { "aria-label": t(`emoji-picker.${key}`), class: "emoji-group" }, make("h3", { class: "side-title" }, t(`emoji-picker.${key}`)), rows(of)));
    const jump = (section) => () => section.scrollIntoView({ block: "start" });
    tabs.replaceChildren(...lists.map(([key], index) => make("button", { class: "emoji-tab", type: "button", tabindex: index ? -1 : 0, "aria-label": t(`emoji-picker.${key}`), title: t(`emoji-picker.${key}`), click: jump(sections[index]) }, ICONS[key])));
    return sections;
  }

  function choose(one) {
    rememberEmoji(one);
    dialog.close();
    chosen(one);
  }

  /** Moves the focus through a row of tabs, or through the grid as it stands on the screen. */
  function move(event) {
    const { key, target } = event;
    if (target === field) {
      if (key === "Enter" || key === "ArrowDown") {
        const first = grid.querySelector("button");
        event.preventDefault();
        if (key === "ArrowDown") first?.focus();
        else if (first && field.value.trim()) choose(first.dataset.emoji);
      }
      return;
    }
    const stops = [...(tabs.contains(target) ? tabs : grid).querySelectorAll("button")];
    const at = stops.indexOf(target);
    if (at < 0) return;
    const forward = getComputedStyle(dialog).direction === "rtl" ? "ArrowLeft" : "ArrowRight";
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    let next;
    if (step) next = stops[at + (forward === "ArrowRight" ? step : -step)];
    else if (key === "Home") next = stops[0];
    else if (key === "End") next = stops.at(-1);
    else if (key === "ArrowDown" || key === "ArrowUp") next = vertical(stops, at, key === "ArrowDown" ? 1 : -1) ?? (key === "ArrowUp" ? field : undefined);
    else return;
    event.preventDefault();
    if (!next) return;
    if (next !== field) for (const one of stops) one.tabIndex = one === next ? 0 : -1;
    next.focus();
  }

  grid.addEventListener("click", ({ target }) => {
    const one = target.closest("[data-emoji]");
    if (one) choose(one.dataset.emoji);
  });
  dialog.addEventListener("keydown", move);
  dialog.addEventListener("close", () => dialog.remove());
  closeOutside(dialog);
  draw();
  refs.frame.append(dialog);
  dialog.showModal();
  place(dialog, at);
}

/** The nearest one in the next row that has any. */
function vertical(stops, at, step) {
  const from = stops[at].getBoundingClientRect();
  let best;
  for (let index = at + step; stops[index]; index += step) {
    const { top, left } = stops[index].getBoundingClientRect();
    if (Math.abs(top - from.top) < 4) continue;
    if (best && Math.abs(top - best.top) > 4) break;
    const far = Math.abs(left - from.left);
    if (!best || far < best.far) best = { one: stops[index], top, far };
  }
  return best?.one;
}

/** Behind the first character of an emoji, before a joiner. */
function withTone(one, tone) {
  const [first, ...rest] = one;
  return [first, tone, ...(rest[0] === "\ufe0f" ? rest.slice(1) : rest)].join("");
}

function place(dialog, at) {
  const from = at.getBoundingClientRect();
  const { width, height } = dialog.getBoundingClientRect();
  const above = from.top - height - 8;
  dialog.style.setProperty("left", `${Math.max(8, Math.min(from.right - width, innerWidth - width - 8))}px`);
  dialog.style.setProperty("top", `${above > 8 ? above : Math.max(8, Math.min(from.bottom + 8, innerHeight - height - 8))}px`);
}
