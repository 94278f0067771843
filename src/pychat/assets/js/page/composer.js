/** The message box: grows, counts, keeps a draft, sends on Enter, and tells when somebody types. */

import { browserStorage } from "../storage.js";
import { typingWords } from "../typists.js";
import { hasKeys, part, write } from "./parts.js";

/** Characters left from which they are counted. */
const COUNT_FROM = 200;
/** Milliseconds without a key, after which nobody is typing. */
const IDLE = 4000;

/** @param {import("../room.js").Room} room */
export function composer(room) {
  const form = part("composer", "form");
  const field = part("text", "textarea");
  const send = part("send", "button");
  const counter = part("counter");
  const error = part("say-error");
  const typing = part("typing");
  const drafts = browserStorage("sessionStorage");
  const draftKey = `pychat:draft:${location.pathname}`;
  let idle;

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
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight}px`;
  }

  function changed() {
    show();
    error.hidden = true;
    drafts.setItem(draftKey, field.value);
    clearTimeout(idle);
    const on = !!field.value.trim();
    room.typing(on);
    if (on) idle = setTimeout(() => room.typing(false), IDLE);
  }

  function submit() {
    if (send.disabled) return;
    clearTimeout(idle);
    const text = wanted();
    room.say(text).catch(({ code, text: why }) => {
      // Once it stands in the log, its fate is told there.
      if (code !== "outbox_full") return;
      write(error, why);
      error.hidden = false;
      field.value ||= text;
      show();
    });
    field.value = "";
    drafts.removeItem(draftKey);
    error.hidden = true;
    show();
  }

  field.addEventListener("input", changed);
  field.addEventListener("keydown", (event) => {
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

  room.on("typing", (members) => {
    typing.classList.toggle("on", members.length > 0);
    if (members.length) write(part("typing-text"), typingWords(members));
  });
  room.on("welcome", show);
  addEventListener("resize", show);

  field.value = drafts.getItem(draftKey) ?? "";

  return {
    /** @param {boolean} on */
    offer(on) {
      if (form.hidden === !on) return;
      form.hidden = !on;
      show();
      if (on && hasKeys()) field.focus();
    },
    focus: () => field.focus(),
  };
}
