/** The log of what moderators did: who, whom, why and when, the newest first. */

import { duration, exact, moment } from "../time.js";
import { make, nameOf } from "../view/elements.js";
import { ending } from "./durations.js";
import { section } from "./rows.js";

const VERBS = {
  kick: "removed",
  ban: "banned",
  unban: "ended the ban of",
  mute: "muted",
  unmute: "ended the mute of",
  clear: "deleted messages of",
  role: "gave a role to",
};
const DEEDS = {
  sweep: "deleted messages of all guests",
  pin: "pinned a message",
  unpin: "unpinned a message",
  set: "changed the settings",
  invite: "made an invitation",
  revoke: "revoked an invitation",
  approve: "approved",
  reject: "rejected",
  resolve: "closed a report",
  delete: "deleted a message of",
};
const SETTINGS = { slow: "slow mode", writing: "who may write", entry: "who may come in", challenge: "check of guests" };
/** Actions that last. */
const LASTING = new Set(["ban", "mute", "kick"]);

export class AuditLog {
  #context;
  #list;
  #entries = [];
  #more = make("button", { class: "link order-more", type: "button", hidden: true, click: () => this.#older() }, "Show older entries");
  #none = make("p", { class: "order-none", hidden: true }, "Nothing has happened yet.");

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
  const whom = name || (VERBS[action] ? target : "");
  return make(
    "li",
    { class: "order-row" },
    make(
      "p",
      {},
      make("b", {}, nameOf(by?.name || by || "The application")),
      ` ${VERBS[action] ?? DEEDS[action] ?? action}`,
      whom ? " " : "",
      whom ? make("b", {}, nameOf(whom)) : undefined,
      LASTING.has(action) ? ` ${ending(until, new Date(date))}` : "",
      details(action, data),
    ),
    reason ? make("p", { class: "order-text", dir: "auto" }, reason) : undefined,
    make("p", { class: "hint" }, make("time", { datetime: date, title: exact(new Date(date)) }, moment(new Date(date), new Date()))),
  );
}

function details(action, data) {
  if (action === "role" && data.role) return `: ${data.role}`;
  if (["clear", "sweep"].includes(action) && data.deleted !== undefined) return ` (${data.deleted})`;
  if (action !== "set") return "";
  return `: ${Object.entries(data).map(([name, value]) => `${SETTINGS[name] ?? name} ${settingWords(name, value)}`).join(", ")}`;
}

function settingWords(name, value) {
  if (name === "slow") return value ? duration(value * 1000) : "off";
  return { true: "on", false: "off", "": "none" }[String(value)] ?? String(value);
}
