/** The message box: grows, counts characters, keeps a draft, sends on Enter, edits and replies, and shows who is typing. */

import { browserStorage } from "../storage.js";
import { typingWords } from "../typists.js";
import { slowMode } from "./slow-mode.js";
import { write } from "./template-refs.js";

/** The counter appears when this many characters are left. */
const COUNT_FROM = 200;
/** Milliseconds without a key until the user counts as not typing. */
const IDLE = 4000;
/** Codes of a refusal after which the log does not have the message. */
const NOT_KEPT = new Set(["outbox_full", "not_joined", "closed"]);

/** @typedef {{texts: string[], rest: string}} Words what was sent, and what stands in the box, while the room was not open yet */

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function composer(room, refs) {
  const form = refs.find("composer", "form");
  const field = refs.find("text", "textarea");
  const send = refs.find("send", "button");
  const counter = refs.find("counter");
  const error = refs.find("say-error");
  const typing = refs.find("typing");
  const drafts = browserStorage("sessionStorage");
  /** The login that owns the draft in the box; `undefined` for a guest. @type {string | undefined} */
  let writer;
  // The room's key contains no space, so the keys of different rooms and logins never collide.
  const draftKey = () => `pychat:draft:${refs.key}${writer === undefined ? "" : ` ${writer}`}`;
  const context = refs.find("context");
  let idle;
  let width = 0;
  /** The message that the user replies to or edits. @type {{kind: "reply" | "edit", entry: import("../log.js").Entry} | null} */
  let about = null;
  /** The text in the box before editing began. */
  let draft = "";

  const slow = slowMode(room, refs, () => {
    if (!slow.wait) error.hidden = true;
    show();
  });
  const mustWait = () => about?.kind !== "edit" && slow.wait > 0;

  // Blank lines around the text are removed; an indent stays.
  const content = () => field.value.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  const left = () => room.limits.text - [...content()].length;

  function show() {
    const remaining = left();
    send.disabled = !content().trim() || remaining < 0 || mustWait();
    counter.hidden = remaining > COUNT_FROM;
    form.classList.toggle("counting", !counter.hidden);
    counter.classList.toggle("over", remaining < 0);
    write(counter, remaining < 0 ? `${-remaining} too many` : `${remaining} left`);
    width = form.clientWidth;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  function changed() {
    show();
    error.hidden = true;
    // Editing a message changes no draft and is not typing.
    if (about?.kind === "edit") return;
    drafts.setItem(draftKey(), field.value);
    clearTimeout(idle);
    const on = !!field.value.trim();
    room.typing(on);
    if (on) idle = setTimeout(() => room.typing(false), IDLE);
  }

  function submit() {
    if (mustWait() && content().trim()) return complain("Slow mode is on. Wait until you can send this.");
    if (send.disabled) return;
    clearTimeout(idle);
    const text = content();
    if (about?.kind === "edit") return change(about.entry, text);
    const replyTo = about?.entry.seq;
    setAbout(null);
    field.value = "";
    drafts.removeItem(draftKey());
    error.hidden = true;
    show();
    post(text, replyTo);
  }

  async function post(text, replyTo) {
    try {
      await room.say(text, { replyTo });
    } catch ({ code, text: reason }) {
      // The log shows the state of a message that it has.
      if (!NOT_KEPT.has(code)) return;
      putBack(text);
      complain(reason);
    }
  }

  /** Puts texts that were not sent into the box, before what stands there. @param {...string} texts */
  function putBack(...texts) {
    field.value = [...texts, field.value].filter(Boolean).join("\n");
    changed();
  }

  async function change(entry, text) {
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
      complain(refusal.text);
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
    if (about?.kind === "edit") field.value = about.entry.text;
    else if (was === "edit") field.value = draft;
    error.hidden = true;
    context.hidden = !about;
    form.dataset.about = about?.kind ?? "";
    if (about) {
      const { author, own, text } = about.entry;
      write(refs.find("context-title"), about.kind === "edit" ? "Editing your message" : `Replying to ${own ? "yourself" : `\u2068${author.name}\u2069`}`);
      write(refs.find("context-text"), text);
    }
    send.setAttribute("aria-label", about?.kind === "edit" ? "Save" : "Send");
    send.title = about?.kind === "edit" ? "Save" : "Send";
    show();
  }

  /** Shows the draft of another login, and hides the present one. */
  function switchTo(login) {
    setAbout(null);
    clearTimeout(idle);
    writer = login;
    field.value = drafts.getItem(draftKey()) ?? "";
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
  room.on("welcome", () => {
    if (room.you?.id !== writer) switchTo(room.you?.id);
    show();
  });
  // In the next frame: a change of size in this callback would trigger the observer again.
  new ResizeObserver(() => requestAnimationFrame(() => form.clientWidth !== width && show())).observe(form);

  field.value = drafts.getItem(draftKey()) ?? "";

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
    /** Takes over what was written for this room before it was open: sends what was sent, and shows the rest. @param {Words} words */
    take({ texts, rest }) {
      for (const text of texts) post(text);
      if (!rest) return;
      field.value += rest;
      changed();
    },
  };
}
