/** Creates all views of a room. The page and the element both use it. */

import { composer } from "./composer.js";
import { messageActions } from "./message-actions.js";
import { messages } from "./messages.js";
import { nicknameForm } from "./nickname-form.js";
import { panel } from "./panel.js";
import { Scroll } from "./scroll.js";
import { search } from "./search.js";
import { status } from "./status.js";

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function view(room, refs) {
  status(room, refs);
  panel(room, refs);
  const messageBox = composer(room, refs);
  const { reveal, entryOf } = messages(room, refs, new Scroll(refs));
  messageActions(room, refs, { entryOf, composer: messageBox });
  search(room, refs, reveal);
  nicknameForm(room, refs, messageBox);
}
