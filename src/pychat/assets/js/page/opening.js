/**
 * A direct room that the server still has to name. Its message box is there at once, so that nothing typed after the
 * click goes to the room before; the words move to the room when it opens.
 */

import { patiently } from "../retry.js";
import { refusalText, t } from "../words.js";
import { TemplateRefs, write } from "../view/template-refs.js";
import { toast } from "../view/toast.js";

/** Milliseconds after which the user reads that the room is being opened. */
const SLOW = 600;

/**
 * Opens the room of the user and another person.
 * @param {import("../log.js").Member} member the other person
 * @param {string | undefined} text to send there
 * @param {object} page
 * @param {import("../chat.js").Chat} page.chat
 * @param {import("./panes.js").Panes} page.panes
 * @param {(name: string, words: import("../view/composer.js").Words) => void} page.enter shows the room of that name
 * @param {() => void} page.openList shows the list of rooms
 */
export function openDirect(member, text, { chat, panes, enter, openList }) {
  const { current } = panes;
  const element = panes.cover();
  const refs = new TemplateRefs(element, { key: "", wholePage: true });
  const form = refs.find("composer", "form");
  const field = refs.find("text", "textarea");
  const again = refs.find("barred-again", "button");
  const back = refs.find("barred-button", "button");
  /** Texts that the user sent already. @type {string[]} */
  const sent = text ? [text] : [];
  /** Ends with the word that an input method composes. @type {Promise<unknown> | undefined} */
  let composed;
  let busy = false;

  const isShown = () => element.isConnected;

  function show(heading, words, waits = false) {
    write(refs.find("barred-title", "h2"), heading);
    write(refs.find("barred-text", "p"), words);
    again.hidden = waits;
    back.hidden = false;
    refs.find("barred").hidden = false;
  }

  /** What was sent stands there until the room has it. */
  function showSent() {
    show(t("direct.opening", { name: member.name }), sent.join("\n"), true);
  }

  async function attempt() {
    if (busy) return;
    busy = true;
    again.hidden = true;
    const slow = setTimeout(showSent, SLOW);
    try {
      const name = await patiently(globalThis, () => chat.direct(member.id));
      await composed;
      if (isShown()) arrive(name);
      // The user went to another room, after they sent this.
      else if (sent.length) await Promise.all(sent.map((words) => chat.enter(name).say(words)));
      stop();
    } catch (refusal) {
      const unsent = sent.length ? [t("direct.not-sent", { text: sent.join("\n") })] : [];
      if (isShown()) show(t("direct.failed", { name: member.name }), [refusalText(refusal), ...unsent].join("\n"));
      else toast(panes.current.refs, [refusalText(refusal), ...unsent].join(" "));
    } finally {
      clearTimeout(slow);
      busy = false;
    }
  }

  function arrive(name) {
    const focused = refs.active === field;
    enter(name, { texts: sent, rest: field.value });
    if (focused) panes.current.refs.find("text", "textarea").focus();
  }

  function submit(event) {
    event.preventDefault();
    if (!field.value.trim()) return;
    sent.push(field.value);
    field.value = "";
    if (busy) showSent();
    else attempt();
  }

  form.addEventListener("submit", submit);
  field.addEventListener("input", () => (refs.find("send", "button").disabled = !field.value.trim()));
  field.addEventListener("keydown", (event) => event.key === "Enter" && !event.shiftKey && !event.isComposing && event.keyCode !== 229 && submit(event));
  field.addEventListener("compositionstart", () => (composed = new Promise((done) => field.addEventListener("compositionend", done, { once: true }))));
  again.addEventListener("click", attempt);
  back.addEventListener("click", () => enter(current.name));
  refs.find("rooms-button", "button").addEventListener("click", openList);
  // The connection was lost meanwhile.
  const stop = chat.on("state", ({ name }) => {
    if (!isShown()) stop();
    else if (name === "live") attempt();
  });

  write(refs.find("title", "h1"), member.name);
  write(again, t("common.try-again"));
  write(back, t("direct.back", { room: current.title }));
  // Nothing stands behind these yet.
  for (const name of ["pill", "settings-button", "emoji-button"]) refs.find(name).hidden = true;
  form.hidden = !current.room.me;
  if (refs.mayFocus) field.focus();
  attempt();
}
