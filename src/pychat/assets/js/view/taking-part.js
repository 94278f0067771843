/**
 * What people do in a room: write, react, and act on messages and people. Readers without a name need none of it, so it
 * is loaded when somebody has a name, types one, or touches a message: view.js says when.
 */

import { completions } from "./completions.js";
import { composer } from "./composer.js";
import { copiedSelection } from "./copied-selection.js";
import { emojiButton } from "./emoji-button.js";
import { messageActions } from "./message-actions.js";
import { messageMenu } from "./message-menu.js";
import { personMenu } from "./person-menu.js";
import { reactionPicker } from "./reaction-picker.js";

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {{chat: import("../chat.js").Chat, write(member: object): void}} [options.rooms] of the user, if the view can show another one
 * @param {ReturnType<typeof import("./messages.js").messages>} options.log
 * @param {ReturnType<typeof import("./moderators.js").moderators>} options.moderators
 * @param {() => Promise<ReturnType<typeof import("../writing/commands.js").commands>>} options.commands loads them
 * @param {(refusal: {text: string}) => void} options.failed
 */
export function takingPart(room, refs, { rooms, log: { entryOf, focusRow }, moderators, commands, failed }) {
  const mentions = completions(room, refs, commands);
  const messageBox = composer(room, refs, commands);
  emojiButton(refs, mentions.put);
  const showPerson = personMenu(room, refs, { rooms, mentions, moderators });
  const picker = reactionPicker(room, refs, failed);
  const more = messageMenu(room, refs, { entryOf, composer: messageBox, moderators, picker, showPerson, failed });
  const touch = messageActions(room, refs, { entryOf, focusRow, composer: messageBox, picker, more });
  copiedSelection(refs.find("messages", "ol"), refs, entryOf);
  return { messageBox, showPerson, press: more.press, touch };
}
