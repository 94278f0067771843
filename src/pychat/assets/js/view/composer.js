/** The message box: grows, counts, keeps a draft, sends on Enter, answers and edits messages, and tells when somebody types. */

import { browserStorage } from "../storage.js";
import { typingWords } from "../typists.js";
import { write } from "./template-refs.js";

/** Characters left from which they are counted. */
const COUNT_FROM = 200;
/** Milliseconds without a key, after which nobody is typing. */
const IDLE = 4000;

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs */
export function composer(room, refs) {
  const form = refs.find("composer", "form");
  const field = refs.find("text", "textarea");
  const send = refs.find("send", "button");
  const counter = refs.find("counter");
  const error = refs.find("say-error");
  const typing = refs.find("typing");
  const drafts = browserStorage("sessionStorage");
  /** The login whose draft is in the box; none for a guest. @type {string | undefined} */
  let writer;
  // A space is in no address, so nobody's id makes another room's key.
  const draftKey = () => `pychat:draft:${refs.key}${writer === undefined ? "" : ` ${writer}`}`;
  const context = refs.find("context");
  let idle;
  let width = 0;
  /** The message that is answered, or edited. @type {{kind: "reply" | "edit", entry: import("../log.js").Entry} | null} */
  let about = null;
  /** What stood in the box before a message was put into it. */
  let draft = "";

  // Blank lines before and after are not meant; an indent may be.
  const wanted = () => field.value.replace(/^(?:[^\S\n]*\n)+/, "").trimEnd();
  const left = () => room.limits.text - [...wanted()].length;

  function show() {
    const few = left();
    send.disabled = !wanted().trim() || few < 0;
    counter.hidden = few > COUNT_FROM;
    form.classList.toggle("counting", !counter.hidden);
    counter.classList.toggle("over", few < 0);
    write(counter, few < 0 ? `${-few} too many` : `${few} left`);
    width = form.clientWidth;
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  function changed() {
    show();
    error.hidden = true;
    // An old message that is edited is no draft, and no news.
    if (about?.kind === "edit") return;
    drafts.setItem(draftKey(), field.value);
    clearTimeout(idle);
    const on = !!field.value.trim();
    room.typing(on);
    if (on) idle = setTimeout(() => room.typing(false), IDLE);
  }

  function submit() {
    if (send.disabled) return;
    clearTimeout(idle);
    const text = wanted();
    if (about?.kind === "edit") return change(about.entry, text);
    const replyTo = about?.entry.seq;
    setAbout(null);
    room.say(text, { replyTo }).catch(({ code, text: why }) => {
      // Once it stands in the log, its fate is told there.
      if (code !== "outbox_full") return;
      complain(why);
      field.value ||= text;
      show();
    });
    field.value = "";
    drafts.removeItem(draftKey());
    error.hidden = true;
    show();
  }

  async function change(entry, text) {
    setAbout(null);
    if (text === entry.text) return;
    try {
      await room.edit(entry.seq, text);
    } catch (refusal) {
      // What was written is not lost, unless something else is being written.
      if (!about) {
        setAbout({ kind: "edit", entry });
        field.value = text;
        show();
      }
      complain(refusal.text);
    }
  }

  function complain(why) {
    write(error, why);
    error.hidden = false;
  }

  /** Begins to answer or to edit a message, or ends it. */
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

  /** It is somebody else now: the draft of who wrote before is out of sight until it is them again. */
  function turnTo(login) {
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
    // While an input method composes a word, Enter chooses it; Safari tells by 229 only.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  // The button does not take the focus, so that a phone's keyboard stays.
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
    if (room.you?.id !== writer) turnTo(room.you?.id);
    show();
  });
  // In a frame of its own: growing here, the box would be observed again at once.
  new ResizeObserver(() => requestAnimationFrame(() => form.clientWidth !== width && show())).observe(form);

  field.value = drafts.getItem(draftKey()) ?? "";

  return {
    /** @param {boolean} on */
    offer(on) {
      if (form.hidden === !on) return;
      form.hidden = !on;
      show();
      if (on && refs.mayFocus) field.focus();
    },
    focus: () => field.focus(),
    reply: (entry) => begin("reply", entry),
    edit: (entry) => begin("edit", entry),
    complain,
  };
}
