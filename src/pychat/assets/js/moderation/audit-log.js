/** The log of what moderators did: who, whom, why and when, the newest first. */

import { make, nameOf } from "../view/elements.js";
import { exact, has, list, moment, number, pieces, span, t } from "../words.js";
import { ending } from "./durations.js";
import { roleName } from "./person-actions.js";
import { section } from "./rows.js";

/** Actions on a person; without a name, the target is shown. */
const ON_PERSON = new Set(["kick", "ban", "unban", "mute", "unmute", "clear", "role"]);

export class AuditLog {
  #context;
  #list;
  #entries = [];
  #more = make("button", { class: "link order-more", type: "button", hidden: true, click: () => this.#older() }, t("audit.older"));
  #none = make("p", { class: "order-none", hidden: true }, t("audit.none"));

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#list = section("", draw);
    this.element = make("div", {}, this.#list.element, this.#none, this.#more);
  }

  show() {}

  /** The log is in sight. */
  async opened() {
    const { attempt, room } = this.#context;
    await attempt((async () => this.#add(await room.audit(), true))());
  }

  #older() {
    const { attempt, room } = this.#context;
    return attempt((async () => this.#add(await room.audit(this.#entries.at(-1)?.number), false))());
  }

  #add({ entries, more }, newest) {
    const oldest = this.#entries.at(-1)?.number ?? Infinity;
    const known = new Map([...this.#entries, ...entries].map((entry) => [entry.number, entry]));
    // If the newest page does not meet what is known, the entries between are missing: begin again.
    const meets = !newest || !this.#entries.length || (entries.at(-1)?.number ?? 0) <= this.#entries[0].number + 1;
    this.#entries = (meets ? [...known.values()] : [...entries]).sort((a, b) => b.number - a.number);
    if (!meets || (this.#entries.at(-1)?.number ?? Infinity) < oldest || !newest) this.#more.hidden = !more;
    this.#none.hidden = this.#entries.length > 0;
    this.#list.show(this.#entries, ({ number }) => String(number));
  }
}

function draw({ action, by, name, target, reason, until, date, data = {} }) {
  const whom = name || (ON_PERSON.has(action) ? target : "");
  const values = {
    by: make("b", {}, nameOf(by?.name || by || t("audit.application"))),
    name: whom ? make("b", {}, nameOf(whom)) : t("audit.somebody"),
    end: ending(until, new Date(date)),
    role: roleName(data.role ?? ""),
    count: data.deleted ?? 0,
    settings: list(Object.entries(data).map(setting)),
  };
  const words = has(`audit.${action}`) ? pieces(`audit.${action}`, values) : pieces("audit.other", { ...values, action });
  return make(
    "li",
    { class: "order-row" },
    make("p", {}, ...words),
    reason ? make("p", { class: "order-text", dir: "auto" }, reason) : undefined,
    make("p", { class: "hint" }, make("time", { datetime: date, title: exact(new Date(date)) }, moment(new Date(date)))),
  );
}

function setting([name, value]) {
  const key = `audit-setting.${name}`;
  return t("audit.setting", { setting: has(key) ? t(key) : name, value: settingValue(name, value) });
}

function settingValue(name, value) {
  if (name === "slow" && value) return span(value);
  const key = `audit-value.${value === "" ? "none" : value || "off"}`;
  if (has(key)) return t(key);
  return typeof value === "number" ? number(value) : String(value);
}
