/** What waits for a moderator: people who ask to come in, held messages, and reports. */

import { ask } from "../dialogs/ask.js";
import { make, nameOf } from "../view/elements.js";
import { MAX_REASON, textField } from "../dialogs/fields.js";
import { exact, relative } from "../time.js";
import { section } from "./rows.js";

export class Queue {
  #context;
  #asking;
  #held;
  #reports;
  #none = make("p", { class: "order-none" }, "Nothing waits for you.");

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#asking = section("Asking to come in", (item) => this.#drawAsking(item));
    this.#held = section("Held messages", (item) => this.#drawHeld(item));
    this.#reports = section("Reports", (item) => this.#drawReport(item));
    this.element = make("div", {}, this.#asking.element, this.#held.element, this.#reports.element, this.#none);
  }

  /** @param {object} state @returns {number} how much waits */
  show({ asking, held, reports }) {
    for (const [part, items] of [[this.#asking, asking], [this.#held, held], [this.#reports, reports]]) part.show(items, ({ item }) => item);
    const waiting = asking.length + held.length + reports.length;
    this.#none.hidden = waiting > 0;
    return waiting;
  }

  #drawAsking({ item, name, text, date }) {
    return make(
      "li",
      { class: "order-row" },
      byline(nameOf(name), date),
      text ? make("p", { class: "order-text", dir: "auto" }, text) : undefined,
      buttons(this.#button("Let in", { action: "approve", item }, "primary"), this.#rejectButton("Refuse", item, "Refuse to let them in?")),
    );
  }

  #drawHeld({ item, author, text, date, reason }) {
    return make(
      "li",
      { class: "order-row" },
      byline(this.#person(author), date),
      make("p", { class: "order-text", dir: "auto" }, text),
      reason ? make("p", { class: "hint" }, "Held: ", nameOf(reason)) : undefined,
      buttons(this.#button("Approve", { action: "approve", item }, "primary"), this.#rejectButton("Reject", item, "Reject this message?")),
    );
  }

  #drawReport({ item, target, author, text, by, reason, date }) {
    const { reveal } = this.#context;
    return make(
      "li",
      { class: "order-row" },
      byline(this.#person(author), date),
      make("p", { class: "order-text", dir: "auto" }, text),
      make("p", { class: "hint" }, "Reported by ", nameOf(by || "somebody"), reason ? ": " : "", reason ? nameOf(reason) : undefined),
      buttons(
        make("button", { class: "button", type: "button", click: () => reveal(target) }, "Show"),
        make("button", { class: "button danger", type: "button", click: (event) => this.#deleteReported(event, item, target) }, "Delete"),
        this.#button("Done", { action: "resolve", item }),
      ),
    );
  }

  async #deleteReported({ currentTarget: button }, item, target) {
    const { room, act, attempt } = this.#context;
    button.disabled = true;
    const both = async () => {
      await room.delete(target).catch((refusal) => {
        if (refusal.code !== "not_found") throw refusal; // it is gone already
      });
      await act({ action: "resolve", item });
    };
    await attempt(both());
    button.disabled = false;
  }

  #person(member) {
    const { room, showPerson } = this.#context;
    if (member.id === room.me?.id) return nameOf(member.name);
    return make("button", { class: "link order-name", type: "button", "aria-haspopup": "dialog", click: ({ currentTarget }) => showPerson(member, currentTarget) }, nameOf(member.name));
  }

  #button(label, action, kind = "") {
    const { act, attempt } = this.#context;
    const click = async ({ currentTarget: button }) => {
      button.disabled = true;
      await attempt(act(action));
      button.disabled = false;
    };
    return make("button", { class: `button ${kind}`, type: "button", click }, label);
  }

  #rejectButton(label, item, question) {
    const { refs, act } = this.#context;
    const click = () => {
      const reason = textField("Reason", { maxlength: MAX_REASON }, "The person reads it.");
      ask(refs, {
        title: [question],
        fields: [reason.element],
        button: label,
        danger: true,
        run: () => act({ action: "reject", item, ...(reason.value && { reason: reason.value }) }),
      });
    };
    return make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click }, label);
  }
}

function byline(name, date) {
  return make("p", { class: "order-byline" }, make("b", {}, name), date ? make("time", { datetime: date, title: exact(new Date(date)) }, relative(new Date(date), new Date())) : undefined);
}

const buttons = (...all) => make("div", { class: "order-buttons" }, ...all);
