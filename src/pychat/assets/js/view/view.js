/** Creates all views of a room. The page and the element both use it. */

import { composer } from "./composer.js";
import { mentionCompletion } from "./mention-completion.js";
import { messageActions } from "./message-actions.js";
import { messages } from "./messages.js";
import { nicknameForm } from "./nickname-form.js";
import { panel } from "./panel.js";
import { personMenu } from "./person-menu.js";
import { Scroll } from "./scroll.js";
import { search } from "./search.js";
import { status } from "./status.js";

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {{chat: import("../chat.js").Chat, name: string, enter(name: string): void}} [rooms] of the user, if the view can show another one
 */
export function view(room, refs, rooms) {
  status(room, refs, rooms?.name);
  const mentions = mentionCompletion(room, refs);
  const messageBox = composer(room, refs);
  const showPerson = rooms && personMenu(room, refs, { ...rooms, mentions });
  panel(room, refs, showPerson);
  const { reveal, entryOf, placeNewLine, refresh } = messages(room, refs, new Scroll(refs), showPerson);
  messageActions(room, refs, { entryOf, composer: messageBox, showPerson });
  search(room, refs, reveal);
  nicknameForm(room, refs, messageBox);
  return { focus: messageBox.focus, placeNewLine, refresh };
}
