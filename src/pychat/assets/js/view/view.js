/** Creates all views of a room. The page and the element both use it. */

import { about } from "./about.js";
import { announcements } from "./announcements.js";
import { appDialogs } from "./app-dialogs.js";
import { completions } from "./completions.js";
import { composer } from "./composer.js";
import { copiedSelection } from "./copied-selection.js";
import { emojiButton } from "./emoji-button.js";
import { focusRules } from "./focus.js";
import { messageActions } from "./message-actions.js";
import { messageMenu } from "./message-menu.js";
import { messages } from "./messages.js";
import { moderators } from "./moderators.js";
import { nicknameForm } from "./nickname-form.js";
import { outside } from "./outside.js";
import { panel } from "./panel.js";
import { permalink } from "./permalink.js";
import { personMenu } from "./person-menu.js";
import { pins } from "./pins.js";
import { reactionPicker } from "./reaction-picker.js";
import { Scroll } from "./scroll.js";
import { search } from "./search.js";
import { status } from "./status.js";
import { withWords } from "../words.js";
import { toast } from "./toast.js";

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("../entrance.js").Entrance} entrance of the room
 * @param {{chat: import("../chat.js").Chat, name: string, write(member: import("../log.js").Member, text?: string): void}} [rooms] of the user, if the view can show another one
 */
export function view(room, refs, entrance, rooms) {
  const failed = ({ text }) => toast(refs, text);
  const toWriting = () => (refs.find("composer", "form").hidden ? refs.find("name-input", "input") : refs.find("text", "textarea")).focus();
  status(room, refs, rooms?.name);
  outside(room, refs, entrance);
  const dialogs = appDialogs(refs);
  let loaded;
  /** The commands, which are loaded when they are first needed. */
  const commands = () => {
    loaded ??= withWords(import("../writing/commands.js")).then((module) => module.commands(room, refs, { rooms, help: dialogs["?"] }));
    loaded.catch(() => (loaded = undefined));
    return loaded;
  };
  const mentions = completions(room, refs, commands);
  const messageBox = composer(room, refs, commands);
  emojiButton(refs, mentions.put);
  const order = moderators(room, refs, { reveal: (seq) => reveal(seq), showPerson: (member, at) => showPerson(member, at) });
  const showPerson = personMenu(room, refs, { rooms, mentions, moderators: order });
  panel(room, refs, showPerson);
  const scroll = new Scroll(refs);
  const { reveal, entryOf, focusRow, placeNewLine, refresh } = messages(room, refs, scroll, { showPerson, write: toWriting });
  const picker = reactionPicker(room, refs, failed);
  const more = messageMenu(room, refs, { entryOf, composer: messageBox, moderators: order, picker, showPerson, failed });
  messageActions(room, refs, { entryOf, focusRow, composer: messageBox, picker, more });
  announcements(room, refs);
  copiedSelection(refs.find("messages", "ol"), refs, entryOf);
  permalink(room, refs, reveal);
  about(room, refs, order);
  pins(room, refs, { reveal, moderators: order, failed });
  search(room, refs, reveal);
  nicknameForm(room, refs, messageBox);
  focusRules(refs, { keys: dialogs });
  return { focus: messageBox.focus, take: messageBox.take, placeNewLine, refresh };
}
