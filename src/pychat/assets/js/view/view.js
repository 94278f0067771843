/** Creates all views of a room. The page and the element both use it. */

import { later } from "../later.js";
import { t, withWords } from "../words.js";
import { about } from "./about.js";
import { announcements } from "./announcements.js";
import { appDialogs } from "./app-dialogs.js";
import { focusRules } from "./focus.js";
import { longPress } from "./long-press.js";
import { messages } from "./messages.js";
import { moderators } from "./moderators.js";
import { nicknameForm } from "./nickname-form.js";
import { outside } from "./outside.js";
import { panel } from "./panel.js";
import { permalink } from "./permalink.js";
import { Scroll } from "./scroll.js";
import { search } from "./search.js";
import { status } from "./status.js";
import { question, toast } from "./toast.js";
import { waiting } from "./waiting.js";

const loadTakingPart = later(() => import("./taking-part.js"));
const loadPins = later(() => import("./pins.js"));
/** At the first of these on the log, what can be done with a message is loaded. */
const TOUCHES = ["pointerover", "pointerdown", "focusin"];

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("../entrance.js").Entrance} entrance of the room
 * @param {{chat: import("../chat.js").Chat, name: string, write(member: import("../log.js").Member, text?: string): void}} [rooms] of the user, if the view can show another one
 */
export function view(room, refs, entrance, rooms) {
  const list = refs.find("messages", "ol");
  const failed = ({ text }) => toast(refs, text);
  const toWriting = () => (refs.find("composer", "form").hidden ? refs.find("name-input", "input") : refs.find("text", "textarea")).focus();
  const showPerson = (member, at) => takePart((part) => part.showPerson(member, at));
  status(room, refs, rooms?.name);
  outside(room, refs, entrance);
  const dialogs = appDialogs(refs);
  /** The commands, which are loaded when they are first needed. */
  const commands = later(async () => (await withWords(import("../writing/commands.js"))).commands(room, refs, { rooms, help: dialogs["?"] }));
  const order = moderators(room, refs, { reveal: (seq) => log.reveal(seq), showPerson });
  panel(room, refs, showPerson);
  const log = messages(room, refs, new Scroll(refs), { showPerson, write: toWriting });
  /** What people do in the room, once it is loaded. @type {ReturnType<typeof import("./taking-part.js").takingPart> | undefined} */
  let part;
  let pinned;
  let writes = false;

  const prepare = () => loadTakingPart().then(begin, () => {});

  function begin({ takingPart }) {
    return (part ??= takingPart(room, refs, { rooms, log, moderators: order, commands, failed }));
  }

  /** Does something with what people do in the room: at once, if it is loaded. @param {(part: object) => void} action */
  async function takePart(action) {
    let { loaded } = loadTakingPart;
    try {
      loaded ??= await loadTakingPart();
    } catch {
      // The network is away, or a page that is older than the server asks for scripts that are gone.
      const again = () => {
        messageBox.setVisible(writes);
        takePart(action);
      };
      return question(refs, t("page.not-loaded"), { [t("common.try-again")]: again });
    }
    if (!refs.signal?.aborted) action(begin(loaded));
  }

  async function touched({ type, target, pointerType }) {
    if (part) for (const event of TOUCHES) list.removeEventListener(event, touched);
    else (await prepare())?.touch({ type, target, pointerType });
  }

  function showPins() {
    if (pinned || !room.pinned.length) return;
    // The next change of the room tries again.
    loadPins().then(({ pins }) => (pinned ??= pins(room, refs, { reveal: log.reveal, moderators: order, failed }) ?? true), () => {});
  }

  const messageBox = {
    prepare,
    setVisible(on) {
      writes = on;
      if (on || part) takePart((made) => made.messageBox.setVisible(writes));
    },
    focus: () => takePart((made) => made.messageBox.focus()),
  };

  for (const event of TOUCHES) list.addEventListener(event, touched);
  longPress(list, ".message", (row) => takePart((made) => made.press(row)));
  announcements(room, refs);
  waiting(room, refs);
  permalink(room, refs, log.reveal);
  about(room, refs, order);
  for (const event of ["welcome", "room"]) room.on(event, showPins);
  search(room, refs, log.reveal);
  nicknameForm(room, refs, messageBox);
  focusRules(refs, { keys: dialogs });
  return { focus: messageBox.focus, take: (words) => takePart((made) => made.messageBox.take(words)), placeNewLine: log.placeNewLine, refresh: log.refresh };
}
