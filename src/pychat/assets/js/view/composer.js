/** The message box: grows, counts characters, keeps a draft, sends on Enter, edits and replies, and shows who is typing. */

import { commandIn, unescaped } from "../command.js";
import { typingWords } from "../typists.js";
import { number, refusalText, t } from "../words.js";
import { Drafts } from "../writing/drafts.js";
import { split } from "../writing/split.js";
import { slowMode } from "./slow-mode.js";
import { write } from "./template-refs.js";

/** The counter appears when this many characters are left. */
const COUNT_FROM = 200;
/** Milliseconds without a key until the user counts as not typing. */
const IDLE = 4000;
/** Messages that one long text can become. */
const MAX_PARTS = 10;
/** Codes of a refusal after which the log does not have the message. */
const NOT_KEPT = new Set(["outbox_full", "not_joined", "closed"]);

/** @typedef {{texts: string[], rest: string}} Words what was sent, and what stands in the box, while the room was not open yet */

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {() => Promise<ReturnType<typeof import("../writing/commands.js").commands>>} commands loads them
 */
export function composer(room, refs, commands) {
  const form = refs.find("composer", "form");
  const field = refs.find("text", "textarea");
  const send = refs.find("send", "button");
  const counter = refs.find("counter");
  const error = refs.find("say-error");
  const tooLong = refs.find("too-long");
  const parts = refs.find("split", "button");
  const typing = refs.find("typing");
  const drafts = new Drafts(refs.key);
  const context = refs.find("context");
  let idle;
  let width = 0;
  /** Whether a command is on its way. */
  let busy = false;
  /** The message that the user replies to or edits. @type {{kind: "reply" | "edit", entry: import("../log.js").Entry} | null} */
  let about = null;
  /** The text in the box before editing began. */
  let draft = "";

  const slow = slowMode(room, refs, () => {
    if (!slow.wait) error.hidden = true;
    show();
  });
  const editing = () => about?.kind === "edit";
  const mustWait = () => !editing() && slow.wait > 0;

  // Blank lines around the text are removed; an indent stays.
  const content = () => field.value.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  const left = () => room.limits.text - [...content()].length;

  function show() {
    const remaining = left();
    const text = content();
    const command = !editing() && commandIn(text);
    send.disabled = !text.trim() || remaining < 0 || (mustWait() && !command);
    counter.hidden = remaining > COUNT_FROM;
    form.classList.toggle("counting", !counter.hidden);
    form.classList.toggle("written", !!text.trim());
    counter.classList.toggle("over", remaining < 0);
    write(counter, remaining < 0 ? t("composer.too-many", { count: -remaining }) : t("composer.left", { count: remaining }));
    showParts(remaining < 0 ? text : "");
    width = form.clientWidth;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  /** Offers to send a text that is too long as several messages. */
  function showParts(text) {
    const messages = text && !editing() ? split(text, room.limits.text).length : 0;
    tooLong.hidden = messages < 2 || messages > MAX_PARTS || mustWait();
    write(parts, t("composer.split", { count: messages }));
  }

  function changed() {
    show();
    error.hidden = true;
    // Editing a message changes no draft and is not typing.
    if (editing()) return;
    drafts.text = field.value;
    clearTimeout(idle);
    const on = !!field.value.trim() && !commandIn(content());
    room.typing(on);
    if (on) idle = setTimeout(() => room.typing(false), IDLE);
  }

  function clear() {
    clearTimeout(idle);
    setAbout(null);
    field.value = "";
    drafts.text = "";
    error.hidden = true;
    show();
  }

  function submit() {
    const text = content();
    if (!text.trim()) return undefined;
    if (left() < 0) return complain(t("composer.too-long", { count: -left(), limit: number(room.limits.text) }));
    if (editing()) return change(about.entry, text);
    const command = commandIn(text);
    if (command) return obey(command);
    if (mustWait()) return complain(t("composer.slow-wait"));
    say(unescaped(text));
    return undefined;
  }

  function say(text) {
    const replyTo = about?.entry.seq;
    clear();
    post(text, replyTo);
  }

  /** Sends a text that is too long as several messages, in their order. */
  function sendParts() {
    const texts = split(content(), room.limits.text);
    const replyTo = about?.entry.seq;
    clear();
    texts.forEach((text, index) => post(text, index ? undefined : replyTo));
    field.focus();
  }

  async function post(text, replyTo) {
    try {
      await room.say(text, { replyTo });
    } catch (refusal) {
      // The log shows the state of a message that it has.
      if (!NOT_KEPT.has(refusal.code)) return;
      putBack(text);
      complain(refusalText(refusal));
    }
  }

  /** Puts texts that were not sent into the box, before what stands there. @param {...string} texts */
  function putBack(...texts) {
    field.value = [...texts, field.value].filter(Boolean).join("\n");
    changed();
  }

  /** Does what a command says. Its text stays in the box until that is done. */
  async function obey({ name, rest }) {
    if (busy) return;
    busy = true;
    const { value } = field;
    try {
      const { error: mistake, text } = await (await commands()).run(name, rest);
      if (mistake) complain(mistake);
      // The user went on to write something else meanwhile.
      else if (field.value !== value) return;
      else if (text === undefined) clear();
      else if (mustWait()) complain(t("composer.slow-wait"));
      else say(text);
    } catch {
      // A page that is older than the server asks for scripts that are gone.
      complain(t("page.not-loaded"));
    } finally {
      busy = false;
    }
  }

  async function change(entry, text) {
    clearTimeout(idle);
    setAbout(null);
    if (text === entry.text) return;
    try {
      await room.edit(entry.seq, text);
    } catch (refusal) {
      // Put the text back into the box, unless the user is replying or editing by now.
      if (!about) {
        setAbout({ kind: "edit", entry });
        field.value = text;
        show();
      }
      complain(refusalText(refusal));
    }
  }

  function complain(reason) {
    write(error, reason);
    error.hidden = false;
  }

  /** Starts a reply or an edit; ends both if `next` is null. */
  function setAbout(next) {
    const was = about?.kind;
    if (next?.kind === "edit" && was !== "edit") draft = field.value;
    about = next;
    if (editing()) field.value = about.entry.text;
    else if (was === "edit") field.value = draft;
    error.hidden = true;
    context.hidden = !about;
    form.dataset.about = about?.kind ?? "";
    if (about) {
      const { author, own, text } = about.entry;
      write(refs.find("context-title"), editing() ? t("composer.editing") : own ? t("composer.replying-own") : t("composer.replying", { name: `\u2068${author.name}\u2069` }));
      write(refs.find("context-text"), text);
    }
    const label = t(editing() ? "composer.save" : "composer.send");
    send.setAttribute("aria-label", label);
    send.title = label;
    show();
  }

  /** Shows the draft of another person, and hides the present one. */
  function switchTo(id) {
    const known = drafts.writer !== undefined;
    if (known) setAbout(null);
    clearTimeout(idle);
    drafts.writer = id;
    if (known || !field.value) field.value = drafts.text;
    show();
  }

  function settle() {
    const id = room.you?.id ?? room.me?.id;
    if (id !== undefined && id !== drafts.writer) switchTo(id);
  }

  function begin(kind, entry) {
    setAbout({ kind, entry });
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function lastOwn() {
    return room.log.entries.findLast(({ own, state, deleted }) => own && state === "sent" && !deleted);
  }

  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && about && !event.isComposing) {
      setAbout(null);
      return;
    }
    if (event.key === "ArrowUp" && !field.value && !about && !event.isComposing && lastOwn()) {
      event.preventDefault();
      begin("edit", lastOwn());
      return;
    }
    // While an input method composes a word, Enter accepts it; Safari reports that only by key code 229.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  // The button takes no focus, so that a phone's keyboard stays open.
  send.addEventListener("pointerdown", (event) => event.preventDefault());
  parts.addEventListener("click", sendParts);
  field.closest(".box")?.addEventListener("click", ({ target }) => target.closest("button") || field.focus());

  refs.find("context-cancel", "button").addEventListener("click", () => {
    setAbout(null);
    field.focus();
  });
  room.on("log", ({ entry }) => {
    if (about && entry === about.entry && entry.deleted) setAbout(null);
  });

  room.on("typing", (members) => {
    typing.classList.toggle("on", members.length > 0);
    if (members.length) write(refs.find("typing-text"), typingWords(members));
  });
  // The same person goes on writing.
  room.on("renumbered", (id) => {
    drafts.writer = id;
    drafts.text = editing() ? draft : field.value;
  });
  room.on("me", settle);
  room.on("welcome", () => {
    settle();
    show();
  });
  // In the next frame: a change of size in this callback would trigger the observer again.
  new ResizeObserver(() => requestAnimationFrame(() => form.clientWidth !== width && show())).observe(form);

  settle();
  slow.begin();

  return {
    /** Shows or hides the message box. @param {boolean} on */
    setVisible(on) {
      if (form.hidden === !on) return;
      form.hidden = !on;
      show();
      if (on && refs.mayFocus) field.focus();
    },
    focus: () => field.focus(),
    reply: (entry) => begin("reply", entry),
    edit: (entry) => begin("edit", entry),
    complain,
    /** Takes over what another room's box held: sends what was sent there, and shows the rest. @param {Words} words */
    take({ texts, rest }) {
      for (const text of texts) post(text);
      if (!rest) return;
      field.value += rest;
      changed();
    },
  };
}
