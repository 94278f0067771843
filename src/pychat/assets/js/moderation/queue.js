/** What waits for a moderator: people who ask to come in, held messages, and reports. */

import { ask } from "../dialogs/ask.js";
import { make, nameOf } from "../view/elements.js";
import { MAX_REASON, textField } from "../dialogs/fields.js";
import { ago, exact, pieces, t } from "../words.js";
import { section } from "./rows.js";

export class Queue {
  #context;
  #asking;
  #held;
  #reports;
  #none = make("p", { class: "order-none" }, t("queue.none"));

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#asking = section(t("queue.asking"), (item) => this.#drawAsking(item));
    this.#held = section(t("queue.held"), (item) => this.#drawHeld(item));
    this.#reports = section(t("queue.reports"), (item) => this.#drawReport(item));
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
      buttons(this.#button(t("queue.let-in"), { action: "approve", item }, "primary"), this.#rejectButton(t("queue.refuse"), item, t("queue.refuse-question"))),
    );
  }

  #drawHeld({ item, author, text, date, reason }) {
    return make(
      "li",
      { class: "order-row" },
      byline(this.#person(author), date),
      make("p", { class: "order-text", dir: "auto" }, text),
      reason ? make("p", { class: "hint" }, ...pieces("queue.held-because", { reason: nameOf(reason) })) : undefined,
      buttons(this.#button(t("queue.approve"), { action: "approve", item }, "primary"), this.#rejectButton(t("queue.reject"), item, t("queue.reject-question"))),
    );
  }

  #drawReport({ item, target, author, text, by, reason, date }) {
    const { reveal } = this.#context;
    return make(
      "li",
      { class: "order-row" },
      byline(this.#person(author), date),
      make("p", { class: "order-text", dir: "auto" }, text),
      make("p", { class: "hint" }, ...reportedBy(by, reason)),
      buttons(
        make("button", { class: "button", type: "button", click: () => reveal(target) }, t("queue.show")),
        make("button", { class: "button danger", type: "button", click: (event) => this.#deleteReported(event, item, target) }, t("common.delete")),
        this.#button(t("queue.done"), { action: "resolve", item }),
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
      const reason = textField(t("moderation.reason"), { maxlength: MAX_REASON }, t("moderation.reason-hint"));
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

function reportedBy(name, reason) {
  const by = name ? nameOf(name) : t("queue.somebody");
  return reason ? pieces("queue.reported-because", { name: by, reason: nameOf(reason) }) : pieces("queue.reported", { name: by });
}

function byline(name, date) {
  return make("p", { class: "order-byline" }, make("b", {}, name), date ? make("time", { datetime: date, title: exact(new Date(date)) }, ago(new Date(date))) : undefined);
}

const buttons = (...all) => make("div", { class: "order-buttons" }, ...all);
