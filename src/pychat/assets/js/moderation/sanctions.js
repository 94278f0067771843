/** Who is banned, who is muted, and who has which role; each can be undone. */

import { ask } from "../dialogs/ask.js";
import { make, nameOf } from "../view/elements.js";
import { choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { list, pieces, t } from "../words.js";
import { ending, lengths, SANCTIONS } from "./durations.js";
import { roleName } from "./person-actions.js";
import { section } from "./rows.js";

export class Sanctions {
  #context;
  #bans;
  #mutes;
  #roles;
  #none = make("p", { class: "order-none" }, t("sanctions.none"));

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#bans = section(t("sanctions.banned"), (item) => this.#draw(item, "unban", t("sanctions.end-ban")));
    this.#mutes = section(t("sanctions.muted"), (item) => this.#draw(item, "unmute", t("sanctions.end-mute")));
    this.#roles = section(t("sanctions.roles"), (item) => this.#drawRole(item));
    const add = make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click: () => this.#banAddress() }, t("sanctions.ban-address"));
    this.element = make("div", {}, this.#none, this.#bans.element, this.#mutes.element, make("div", { class: "order-buttons" }, add), this.#roles.element);
  }

  /** @param {object} state */
  show({ bans, mutes, roles }) {
    this.#bans.show(bans, ({ key }) => key);
    this.#mutes.show(mutes, ({ key }) => key);
    this.#roles.show(roles, ({ member }) => member);
    this.#none.hidden = bans.length + mutes.length > 0;
  }

  #draw({ member, networks, name, until, reason, by, kick }, undo, label) {
    const { act, attempt } = this.#context;
    const whom = member ? { member } : { network: networks[0] };
    const click = async ({ currentTarget: button }) => {
      button.disabled = true;
      await attempt(act({ action: undo, ...whom }));
      button.disabled = false;
    };
    return make(
      "li",
      { class: "order-row compact" },
      make(
        "div",
        {},
        make("p", { class: "order-byline" }, make("b", {}, nameOf(name ?? networks[0])), extent(member, networks)),
        make("p", { class: "hint" }, ...told(kick ? "kick" : undo === "unban" ? "ban" : "mute", { until, by, reason })),
      ),
      make("button", { class: "button", type: "button", click }, label),
    );
  }

  #drawRole({ member, name, role }) {
    const { showPerson } = this.#context;
    const click = ({ currentTarget }) => showPerson({ id: member, name }, currentTarget);
    return make(
      "li",
      { class: "order-row compact" },
      make("div", {}, make("p", { class: "order-byline" }, make("b", {}, nameOf(name || member))), make("p", { class: "hint" }, roleName(role))),
      make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click }, t("sanctions.change")),
    );
  }

  #banAddress() {
    const { refs, act } = this.#context;
    const network = textField(t("sanctions.address"), { required: true, maxlength: 64, spellcheck: "false", autocapitalize: "off", placeholder: "203.0.113.7" }, t("sanctions.address-hint"));
    const long = choice(t("moderation.how-long"), lengths(SANCTIONS), SANCTIONS[2]);
    const reason = textField(t("moderation.reason"), { maxlength: MAX_REASON }, t("sanctions.reason-hint"));
    ask(refs, {
      title: [t("sanctions.ban-title")],
      lead: [t("sanctions.ban-lead")],
      fields: [network.element, long.element, reason.element],
      button: t("moderation.ban"),
      danger: true,
      run: () => act({ action: "ban", network: network.value, ...(long.value !== null && { seconds: long.value }), ...(reason.value && { reason: reason.value }) }),
    });
  }
}

/** "Banned until 14:05 by Ada: spam". */
function told(what, { until, by, reason }) {
  const values = { end: ending(until), name: by && nameOf(by) };
  const words = by ? pieces(`sanctions.${what}-by`, values) : pieces(`sanctions.${what}`, values);
  return reason ? pieces("sanctions.because", { sanction: span(words), reason: nameOf(reason) }) : words;
}

const span = (children) => make("span", {}, ...children);

/** What else than the person it holds for. A guest whose address is free can come back under another name. */
function extent(member, networks) {
  if (!member || (!networks.length && member.startsWith("user:"))) return undefined;
  const words = networks.length ? t("sanctions.addresses", { count: networks.length, addresses: list(networks) }) : t("sanctions.no-address");
  return make("span", { class: "hint" }, words);
}
