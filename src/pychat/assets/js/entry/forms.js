/** The forms of a room that is not open to everyone: a password, a question to the moderators, a check of the browser. */

import { Refusal } from "../refusal.js";
import { make } from "../view/elements.js";
import { textField } from "../dialogs/fields.js";
import { browserStorage } from "../storage.js";
import { LAST_NAME } from "../view/nickname-form.js";
import { hasKeys, write } from "../view/template-refs.js";
import { refusalText, t } from "../words.js";
import { solve } from "./challenge.js";

/** Milliseconds between two looks whether a moderator has decided. */
const POLL_INTERVAL = 4000;

/**
 * @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {{entrance: import("../entrance.js").Entrance, place: HTMLElement}} where
 */
export function forms(room, refs, { entrance, place }) {
  const error = make("p", { class: "error", role: "alert", hidden: true });
  const storage = browserStorage("sessionStorage");
  /** Remembers over a reload that the user waits for a moderator. */
  const askedKey = `pychat:asked:${refs.key}`;
  let shownCode = "";
  let timer;
  let working = null;

  function say(text) {
    write(error, text);
    error.hidden = !text;
  }

  /** @param {boolean} [entered] */
  function close(entered = false) {
    if (entered) storage.removeItem(askedKey);
    clearTimeout(timer);
    working?.abort();
    working = null;
    shownCode = "";
    place.replaceChildren();
  }

  /** Enters again, unless a new token has begun that already. */
  const open = () => room.state.name === "refused" && room.reconnect();

  /** Shows the server a reason; the room opens if it is enough. If not, `key` says so. */
  async function enter(reason, key) {
    say("");
    try {
      const answer = await entrance.enter(reason);
      if (!answer.waiting) open();
      return answer;
    } catch (refusal) {
      say(key && refusal.code === "entry_required" ? t(key) : refusalText(refusal));
      return null;
    }
  }

  function form(fields, label, run, kind = "primary") {
    const button = make("button", { class: `button ${kind}`, type: "submit" }, label);
    const submit = async (event) => {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      await run();
      button.disabled = false;
    };
    return make("form", { class: "entry-form", submit }, ...fields, button);
  }

  function passwordForm() {
    const password = textField(t("entry.password"), { type: "password", maxlength: 200, autocomplete: "off", required: true });
    const made = form([password.element], t("entry.enter"), async () => {
      if (await enter({ password: password.input.value }, "entry.wrong-password")) return;
      password.input.value = "";
      if (hasKeys()) password.input.focus();
    });
    return { made, first: password.input };
  }

  /** @param {boolean} only whether there is no other form */
  function askForm(only) {
    const name = textField(t("naming.label"), { maxlength: room.limits.name, required: true, autocomplete: "nickname", value: room.me?.name ?? "" });
    const text = textField(t("entry.word"), { maxlength: 300, placeholder: t("common.may-be-empty") });
    const made = form([name.element, text.element], t("entry.ask"), async () => {
      const answer = await enter({ ask: { name: name.value, text: text.value } });
      if (!answer?.waiting) return;
      browserStorage().setItem(LAST_NAME, name.value);
      wait();
    }, only ? "primary" : "");
    return { made, first: name.input };
  }

  /** Shows that a moderator has the question, and looks again until they have decided. */
  function wait() {
    const cancel = make("button", { class: "button", type: "button", click: () => stopWaiting() }, t("entry.stop"));
    const words = make("p", { class: "entry-wait", role: "status" }, make("span", { class: "dot" }), t("entry.waiting"));
    place.replaceChildren(words, cancel);
    const look = async () => {
      const answer = await entrance.enter({}).catch((refusal) => refusal);
      // Another room may be shown now; the answer counts nevertheless.
      if (!place.contains(cancel)) return;
      if (answer.waiting || answer.code === "offline" || answer.code === "rate_limited") timer = setTimeout(look, POLL_INTERVAL);
      else if (answer.code) stopWaiting(answer.code === "entry_required" ? rejected(answer) : refusalText(answer));
      else open();
    };
    clearTimeout(timer);
    storage.setItem(askedKey, "yes");
    timer = setTimeout(look, POLL_INTERVAL);
  }

  function stopWaiting(text = "") {
    clearTimeout(timer);
    storage.removeItem(askedKey);
    showForms(text);
  }

  async function check() {
    const bar = make("progress", { max: 1, value: 0, "aria-label": t("entry.check") });
    const cancel = make("button", { class: "button", type: "button", click: () => working?.abort() }, t("common.cancel"));
    place.replaceChildren(make("p", { class: "hint" }, t("entry.check-hint")), bar, error, cancel);
    const mine = (working = new AbortController());
    const { signal } = mine;
    const cancelled = new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Refusal("aborted", "The check was cancelled."))));
    const solved = async () => {
      const solution = await solve(await entrance.challenge(), { progress: (done) => (bar.value = done), signal });
      bar.value = 1;
      if (!signal.aborted) await entrance.enter({ solution });
    };
    say("");
    try {
      await Promise.race([cancelled, solved()]);
      open();
    } catch (refusal) {
      if (working !== mine) return;
      mine.abort();
      say(refusalText(refusal));
      bar.remove();
      cancel.replaceWith(make("button", { class: "button primary", type: "button", click: check }, t("entry.try-again")));
    }
  }

  /** @param {import("../link.js").State} state @param {boolean} [again] draws the forms again */
  function show({ code }, again = false) {
    if (code === shownCode && !again) return;
    const text = error.textContent;
    close();
    shownCode = code;
    if (code === "challenge_required") check();
    else if (storage.getItem(askedKey)) wait();
    else showForms(text);
  }

  async function showForms(text) {
    let ways = [];
    try {
      ({ ways } = await entrance.ways());
    } catch (refusal) {
      text ||= refusalText(refusal);
    }
    if (shownCode !== "entry_required") return;
    const made = [ways.includes("password") && passwordForm(), ways.includes("ask") && askForm(!ways.includes("password"))].filter(Boolean);
    const hint = ways.includes("invite") && make("p", { class: "hint" }, t("entry.invitation"));
    place.replaceChildren(error, ...made.map(({ made }) => made), hint || "");
    say(text);
    if (refs.mayFocus) made[0]?.first.focus();
  }

  refs.signal?.addEventListener("abort", () => close());
  return { show, close };
}

/** A moderator said no; their reason stands at the end of the server's text. */
function rejected({ text = "" }) {
  const reason = /: (.+)$/s.exec(text)?.[1];
  return reason ? t("error.because", { text: t("entry.refused"), reason }) : t("entry.refused");
}
