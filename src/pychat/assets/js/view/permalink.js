/** The page's address can name a message: `#m123`. */

import { t } from "../words.js";
import { toast } from "./toast.js";

const MESSAGE = /^#m([1-9]\d{0,14})$/;

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(seq: number) => Promise<boolean>} reveal scrolls to a message
 */
export function permalink(room, refs, reveal) {
  if (!refs.wholePage) return;

  async function follow() {
    const seq = Number(MESSAGE.exec(location.hash)?.[1]);
    // Another room may be shown.
    if (!seq || !refs.root.isConnected) return;
    try {
      if (!(await reveal(seq))) toast(refs, t("message.missing"));
    } catch ({ text }) {
      toast(refs, text);
    }
  }

  const stop = room.on("welcome", () => {
    stop();
    follow();
  });
  // After the page has shown the room of the address.
  refs.listen(globalThis, "popstate", () => setTimeout(() => room.about && follow()));
}
