/** The dialog with what the user prefers. Each choice takes effect at once. Loaded when it is first opened. */

import { pushSwitch } from "../attention/push-switch.js";
import { choice, check } from "../dialogs/fields.js";
import { closeOutside } from "../dialogs/ask.js";
import { preferences } from "../preferences.js";
import { dialogOpener } from "../view/dialog-position.js";
import { icon, make } from "../view/elements.js";
import { hasKeys, write } from "../view/template-refs.js";
import { languages, t, wordsLanguage } from "../words.js";

const CROSS = "m5 5 10 10M15 5 5 15";
/** A year. */
const COOKIE_SECONDS = 365 * 24 * 60 * 60;

/**
 * @param {import("../view/template-refs.js").TemplateRefs} refs of the room that is shown
 * @param {object} page
 * @param {string} [page.path] of the mount, on the chat page: an element on another page has the theme and the language of that page
 * @param {() => void} page.showHelp shows the keys
 */
export function openSettings(refs, { path, showHelp }) {
  const chosen = preferences();
  const closed = new AbortController();
  const option = (key, values) =>
    choice(t(`settings.${key}`), values.map((value) => ({ label: t(`settings.${key}.${value}`), value })), chosen.get(key), (value) => chosen.set(key, value)).element;

  const dialog = make(
    "dialog",
    { class: "card settings", part: "dialog", "aria-labelledby": "pychat-settings-title" },
    make(
      "div",
      { class: "panel-head" },
      make("h2", { id: "pychat-settings-title", tabindex: "-1", autofocus: true }, t("settings.title")),
      make("button", { class: "tool close", type: "button", "aria-label": t("common.close"), click: () => dialog.close() }, icon(CROSS)),
    ),
    make(
      "section",
      {},
      make("h3", { class: "side-title" }, t("settings.looks")),
      path && option("theme", ["system", "light", "dark", "contrast"]),
      option("size", ["small", "medium", "large"]),
      option("density", ["comfortable", "compact"]),
      option("layout", ["auto", "stream", "bubbles"]),
      path && languages().length > 1 ? language(path) : undefined,
    ),
    path && make("section", {}, make("h3", { class: "side-title" }, t("settings.attention")), ...attention(refs, chosen)),
    make(
      "div",
      { class: "row end" },
      hasKeys() ? make("button", { class: "button", type: "button", click: () => (dialog.close(), showHelp()) }, t("help.title")) : undefined,
      make("button", { class: "button primary", type: "button", click: () => dialog.close() }, t("common.done")),
    ),
  );

  closeOutside(dialog);
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
  });
  refs.frame.append(dialog);
  dialogOpener(dialog, { signal: closed.signal })();
}

/** What tells of messages while nobody looks. @returns {HTMLElement[]} */
function attention(refs, chosen) {
  const blocked = make("p", { class: "error", role: "alert", hidden: true });
  const complain = (words) => {
    write(blocked, words);
    blocked.hidden = false;
  };
  const levels = ["off", "mentions", "all"].map((value) => ({ label: t(`settings.notify.${value}`), value }));
  const notify = choice(t("settings.notify"), levels, chosen.get("notify"), async (value) => {
    blocked.hidden = true;
    chosen.set("notify", value);
    if (value === "off" || (await Notification.requestPermission()) === "granted") return;
    chosen.set("notify", "off");
    notify.choose("off");
    complain(t("settings.notify.blocked"));
  });
  const muted = check(t("settings.mute"), t("settings.mute.hint"), chosen.isMuted(refs.key), (on) => chosen.mute(refs.key, on));
  const sound = check(t("settings.sound"), t("settings.sound.hint"), chosen.get("sound"), async (on) => {
    chosen.set("sound", on);
    if (on) (await import("../attention/sound.js")).play();
  });
  const push = check(t("settings.push"), t("settings.push.hint"), false, async (on) => {
    blocked.hidden = true;
    push.input.disabled = true;
    try {
      await pushSwitch().set(on);
    } catch (refusal) {
      push.input.checked = !on;
      complain(t(refusal.code === "push_denied" ? "settings.notify.blocked" : "settings.push.failed"));
    }
    push.input.disabled = false;
  });
  push.element.hidden = true;
  pushSwitch()?.state().then((state) => {
    push.input.checked = state === "on";
    push.element.hidden = state === "unavailable";
  }, () => {});
  return [...("Notification" in globalThis ? [notify.element] : []), blocked, push.element, sound.element, muted.element];
}

/** The language of the page, which the server picks: the page is loaded again. @param {string} path of the mount */
function language(path) {
  const names = (tag) => new Intl.DisplayNames([tag], { type: "language" }).of(tag);
  const options = languages().map((tag) => make("option", { value: tag, lang: tag, selected: preferences().get("language") === tag }, names(tag)));
  const own = make("option", { value: "" }, t("settings.language.browser"));
  const select = make("select", { class: "field", id: "pychat-language", change: () => choose(select.value) }, own, ...options);

  function choose(tag) {
    preferences().set("language", tag);
    document.cookie = `pychat-language=${tag}; path=${path}; max-age=${tag ? COOKIE_SECONDS : 0}; samesite=lax`;
    if (tag !== wordsLanguage()) location.reload();
  }

  return make("div", { class: "entry-field" }, make("label", { for: "pychat-language" }, t("settings.language")), select);
}
