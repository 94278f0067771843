/** The settings of the room: who writes, who enters, how fast, and the invitations. Each change counts at once. */

import { make } from "../view/elements.js";
import { ask } from "../dialogs/ask.js";
import { check, choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { toast } from "../view/toast.js";
import { RECENT } from "./durations.js";
import { write } from "../view/template-refs.js";
import { Invitations } from "./invitations.js";

const SLOW = [
  { label: "Off", value: 0 },
  { label: "5 s", value: 5 },
  { label: "10 s", value: 10 },
  { label: "30 s", value: 30 },
  { label: "1 min", value: 60 },
  { label: "5 min", value: 300 },
  { label: "1 h", value: 3600 },
];
const WRITING = [
  { label: "Everybody", value: "all" },
  { label: "Members", hint: "Guests only read", value: "members" },
  { label: "Moderators", hint: "Everybody else only reads", value: "moderators" },
];
const ENTRY = [
  { label: "Everybody", value: "open" },
  { label: "Those whom a moderator lets in", hint: "Others ask, and wait in the queue", value: "ask" },
  { label: "Members", hint: "People with a login, an invitation or the password", value: "members" },
  { label: "Moderators", hint: "The room is closed: everybody else is put out now", value: "closed" },
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
    this.#slow = choice("Slow mode: the time between two messages", SLOW, 0, (slow) => this.#set({ slow }));
    this.#writing = choice("Who may write", WRITING, "all", (writing) => this.#set({ writing }));
    this.#entry = choice("Who may come in", ENTRY, "open", (entry) => this.#set({ entry }));
    this.#challenge = check("Check guests before they enter", "Their browser computes for a second. That stops programs that come in by the thousand.", false, (challenge) => this.#set({ challenge }));
    this.#password = textField("New password", { type: "password", maxlength: 200, autocomplete: "new-password" });
    this.#remove = make("button", { class: "button", type: "button", hidden: true, click: () => this.#set({ password: "" }) }, "Remove password");
    this.#title = textField("Title", { maxlength: 100, required: true });
    this.#topic = textField("Topic", { maxlength: 300 });
    this.#invitations = new Invitations(context);
    this.element = make(
      "div",
      { class: "order-settings" },
      this.#slow.element,
      this.#writing.element,
      this.#entry.element,
      this.#challenge.element,
      make("button", { class: "button", type: "button", click: () => this.#sweep() }, "Delete messages of all guests…"),
      this.#form("Password", [this.#hasPassword, this.#password.element], "Set password", async () => {
        if (this.#password.value && (await this.#set({ password: this.#password.value }))) this.#password.input.value = "";
      }, this.#remove),
      this.#invitations.element,
      this.#form("Name of the room", [this.#title.element, this.#topic.element], "Save", () => this.#setNames()),
    );
  }

  /** @param {object} state */
  show({ settings, invitations }) {
    const { slow = 0, writing = "all", entry = "open", challenge = false, password = false, title = "", topic = "" } = settings;
    this.#slow.choose(slow);
    this.#writing.choose(writing);
    this.#entry.choose(entry);
    this.#challenge.input.checked = challenge;
    write(this.#hasPassword, password ? "Guests need the password, or an invitation." : "Guests need no password.");
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
    const long = choice("Messages of the last", RECENT, RECENT[0].value);
    const why = textField("Reason", { maxlength: MAX_REASON }, "Only moderators read it, in the log.");
    ask(refs, {
      title: ["Delete messages of all guests?"],
      lead: ["What members, moderators and people with a login wrote stays. This cannot be undone."],
      fields: [long.element, why.element],
      button: "Delete",
      danger: true,
      async run() {
        const { deleted = 0 } = await act({ action: "sweep", seconds: long.value, ...(why.value && { reason: why.value }) });
        toast(refs, deleted === 1 ? "1 message was deleted." : `${deleted} messages were deleted.`);
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
