/** The settings of the room: who writes, who enters, how fast, and the invitations. Each change counts at once. */

import { make } from "../view/elements.js";
import { ask } from "../dialogs/ask.js";
import { check, choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { toast } from "../view/toast.js";
import { span, t } from "../words.js";
import { lengths, RECENT } from "./durations.js";
import { write } from "../view/template-refs.js";
import { Invitations } from "./invitations.js";

/** Seconds. */
const SLOW = [0, 5, 10, 30, 60, 300, 3600];
const slows = () => SLOW.map((value) => ({ label: value ? span(value) : t("room-settings.off"), value }));
const writers = () => [
  { label: t("room-settings.everybody"), value: "all" },
  { label: t("room-settings.members"), hint: t("room-settings.write-members"), value: "members" },
  { label: t("room-settings.moderators"), hint: t("room-settings.write-moderators"), value: "moderators" },
];
const visitors = () => [
  { label: t("room-settings.everybody"), value: "open" },
  { label: t("room-settings.enter-ask"), hint: t("room-settings.enter-ask-hint"), value: "ask" },
  { label: t("room-settings.members"), hint: t("room-settings.enter-members"), value: "members" },
  { label: t("room-settings.moderators"), hint: t("room-settings.enter-closed"), value: "closed" },
];

export class Settings {
  #context;
  #slow;
  #writing;
  #entry;
  #challenge;
  #password;
  #hasPassword = make("p", { class: "hint" });
  #remove;
  #title;
  #topic;
  #invitations;

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#slow = choice(t("room-settings.slow"), slows(), 0, (slow) => this.#set({ slow }));
    this.#writing = choice(t("room-settings.write"), writers(), "all", (writing) => this.#set({ writing }));
    this.#entry = choice(t("room-settings.enter"), visitors(), "open", (entry) => this.#set({ entry }));
    this.#challenge = check(t("room-settings.check"), t("room-settings.check-hint"), false, (challenge) => this.#set({ challenge }));
    this.#password = textField(t("room-settings.new-password"), { type: "password", maxlength: 200, autocomplete: "new-password" });
    this.#remove = make("button", { class: "button", type: "button", hidden: true, click: () => this.#set({ password: "" }) }, t("room-settings.remove-password"));
    this.#title = textField(t("about.title"), { maxlength: 100, required: true });
    this.#topic = textField(t("about.topic"), { maxlength: 300 });
    this.#invitations = new Invitations(context);
    this.element = make(
      "div",
      { class: "order-settings" },
      this.#slow.element,
      this.#writing.element,
      this.#entry.element,
      this.#challenge.element,
      make("button", { class: "button", type: "button", click: () => this.#sweep() }, t("room-settings.sweep-more")),
      this.#form(t("room-settings.password"), [this.#hasPassword, this.#password.element], t("room-settings.set-password"), async () => {
        if (this.#password.value && (await this.#set({ password: this.#password.value }))) this.#password.input.value = "";
      }, this.#remove),
      this.#invitations.element,
      this.#form(t("room-settings.name"), [this.#title.element, this.#topic.element], t("common.save"), () => this.#setNames()),
    );
  }

  /** @param {object} state */
  show({ settings, invitations }) {
    const { slow = 0, writing = "all", entry = "open", challenge = false, password = false, title = "", topic = "" } = settings;
    this.#slow.choose(slow);
    this.#writing.choose(writing);
    this.#entry.choose(entry);
    this.#challenge.input.checked = challenge;
    write(this.#hasPassword, password ? t("room-settings.has-password") : t("room-settings.no-password"));
    this.#remove.hidden = !password;
    for (const [field, value] of [[this.#title, title], [this.#topic, topic]]) this.#fill(field.input, value);
    this.#invitations.show(invitations);
  }

  /** What the moderator is writing stays. */
  #fill(input, value) {
    if (input.value === (input.dataset.stored ?? "")) input.value = value;
    input.dataset.stored = value;
  }

  /** Sends only what was changed: a title that is set stays when the application changes its own. */
  async #setNames() {
    const changed = Object.entries({ title: this.#title, topic: this.#topic }).filter(([, { input, value }]) => value !== input.dataset.stored);
    if (changed.length) await this.#set(Object.fromEntries(changed.map(([name, { value }]) => [name, value])));
  }

  /** After a raid: the people are many, and each has written little. */
  #sweep() {
    const { act, refs } = this.#context;
    const long = choice(t("moderation.messages-of"), lengths(RECENT), RECENT[0]);
    const why = textField(t("moderation.reason"), { maxlength: MAX_REASON }, t("moderation.reason-log"));
    ask(refs, {
      title: [t("room-settings.sweep-title")],
      lead: [t("room-settings.sweep-lead")],
      fields: [long.element, why.element],
      button: t("common.delete"),
      danger: true,
      async run() {
        const { deleted = 0 } = await act({ action: "sweep", seconds: long.value, ...(why.value && { reason: why.value }) });
        toast(refs, t("room-settings.swept", { count: deleted }));
      },
    });
  }

  async #set(values) {
    const { act, attempt } = this.#context;
    return attempt(act({ action: "set", ...values }));
  }

  #form(legend, fields, label, run, ...more) {
    const submit = (event) => {
      event.preventDefault();
      run();
    };
    return make("form", { submit }, make("h3", {}, legend), ...fields, make("div", { class: "order-buttons" }, make("button", { class: "button", type: "submit" }, label), ...more));
  }
}
