/** The dialogs that belong to no room: the settings and the list of keys. They are loaded when they are opened. */

import { t, withWords } from "../words.js";
import { toast } from "./toast.js";

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @returns {Record<string, () => void>} what opens them, by key
 */
export function appDialogs(refs) {
  const path = refs.wholePage ? new URL(refs.root.closest("[data-base]").dataset.base, document.baseURI).pathname : undefined;

  const opener = (load) => async () => {
    try {
      await load();
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      toast(refs, t("page.not-loaded"));
    }
  };
  const showHelp = opener(async () => (await withWords(import("../help/shortcuts.js"))).openHelp(refs));
  const showSettings = opener(async () => (await withWords(import("../settings/settings.js"))).openSettings(refs, { path, showHelp }));

  refs.find("settings-button", "button").addEventListener("click", showSettings);
  return { "?": showHelp, "Control+,": showSettings };
}
