/** The dialogs that belong to no room: the settings and the list of keys. They are loaded when they are opened. */

import { t, withWords } from "../words.js";
import { toast } from "./toast.js";

/**
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("../chat.js").Chat} [chat] on the chat page
 * @returns {Record<string, () => void>} what opens them, by key
 */
export function appDialogs(refs, chat) {
  const { base, home, push } = refs.root.closest?.("[data-base]")?.dataset ?? {};
  const page = chat && { base: new URL(base, document.baseURI), home, push: push !== undefined, token: () => chat.token };

  const opener = (load) => async () => {
    try {
      await load();
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      toast(refs, t("page.not-loaded"));
    }
  };
  const showHelp = opener(async () => (await withWords(import("../help/shortcuts.js"))).openHelp(refs));
  const showSettings = opener(async () => (await withWords(import("../settings/settings.js"))).openSettings(refs, { page, showHelp }));

  refs.find("settings-button", "button").addEventListener("click", showSettings);
  return { "?": showHelp, "Control+,": showSettings };
}
