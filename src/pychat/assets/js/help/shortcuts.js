/** The dialog that lists the keys. Loaded when it is first opened. */

import { closeOutside } from "../dialogs/ask.js";
import { dialogOpener } from "../view/dialog-position.js";
import { icon, make } from "../view/elements.js";
import { t } from "../words.js";

const CROSS = "m5 5 10 10M15 5 5 15";

/** Keys by what they do; "/" separates keys that do the same, "+" keys that are held together. */
const GROUPS = {
  writing: {
    send: ["Enter"],
    line: ["Shift + Enter"],
    edit: ["↑"],
    mention: ["@"],
    emoji: [":"],
    command: ["/"],
    cancel: ["Esc"],
  },
  reading: {
    rows: ["↑", "↓"],
    ends: ["Home", "End"],
    actions: ["→"],
    write: ["Esc"],
  },
  everywhere: {
    search: ["Ctrl + K", "/"],
    settings: ["Ctrl + ,"],
    help: ["?"],
  },
};

/** @param {import("../view/template-refs.js").TemplateRefs} refs of the room that is shown */
export function openHelp(refs) {
  const closed = new AbortController();
  const forwards = getComputedStyle(refs.frame).direction === "rtl" ? "←" : "→";
  const keys = (all) => all.flatMap((key, at) => [at ? " " : "", ...key.split(" + ").flatMap((one, held) => [held ? " + " : "", make("kbd", {}, one === "→" ? forwards : one)])]).filter(Boolean);
  const rows = (group, of) => Object.entries(of).flatMap(([does, all]) => [make("dt", {}, ...keys(all)), make("dd", {}, t(`help.${group}.${does}`))]);
  const groups = Object.entries(GROUPS).map(([group, of]) => make("section", {}, make("h3", { class: "side-title" }, t(`help.${group}`)), make("dl", { class: "key-list" }, ...rows(group, of))));
  const dialog = make(
    "dialog",
    { class: "card settings", part: "dialog", "aria-labelledby": "pychat-help-title" },
    make(
      "div",
      { class: "panel-head" },
      make("h2", { id: "pychat-help-title", tabindex: "-1", autofocus: true }, t("help.title")),
      make("button", { class: "tool close", type: "button", "aria-label": t("common.close"), click: () => dialog.close() }, icon(CROSS)),
    ),
    ...groups,
  );
  closeOutside(dialog);
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
  });
  refs.frame.append(dialog);
  dialogOpener(dialog, { signal: closed.signal })();
}
