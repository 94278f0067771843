/** The button in the message box that opens the emoji. */

import { t, withWords } from "../words.js";
import { toast } from "./toast.js";

/** @param {import("./template-refs.js").TemplateRefs} refs @param {(text: string) => void} put puts an emoji at the caret */
export function emojiButton(refs, put) {
  const button = refs.find("emoji-button", "button");
  button.addEventListener("click", async () => {
    try {
      const { pickEmoji } = await withWords(import("../writing/emoji-picker.js"));
      await pickEmoji(refs, button, put);
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      toast(refs, t("page.not-loaded"));
    }
  });
}
