/** Who is banned, who is muted, and who has which role; each can be undone. */

import { ask } from "../dialogs/ask.js";
import { make, nameOf } from "../view/elements.js";
import { choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { ending, SANCTIONS } from "./durations.js";
import { titleCase } from "./person-actions.js";
import { section } from "./rows.js";

export class Sanctions {
  #context;
  #bans;
  #mutes;
  #roles;
  #none = make("p", { class: "order-none" }, "Nobody is banned or muted.");

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#bans = section("Banned", (item) => this.#draw(item, "unban", "End ban"));
    this.#mutes = section("Muted", (item) => this.#draw(item, "unmute", "End mute"));
    this.#roles = section("Roles", (item) => this.#drawRole(item));
    const add = make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click: () => this.#banAddress() }, "Ban an address…");
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
        make("p", { class: "hint" }, `${kick ? "Removed" : titleOf(undo)} ${ending(until)}`, by ? " by " : "", by ? nameOf(by) : undefined, reason ? ": " : "", reason ? nameOf(reason) : undefined),
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
      make("div", {}, make("p", { class: "order-byline" }, make("b", {}, nameOf(name || member))), make("p", { class: "hint" }, titleCase(role))),
      make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click }, "Change…"),
    );
  }

  #banAddress() {
    const { refs, act } = this.#context;
    const network = textField("Address or network", { required: true, maxlength: 64, spellcheck: "false", autocapitalize: "off", placeholder: "203.0.113.7" }, "A network is written as 203.0.113.0/24 or 2001:db8::/48.");
    const long = choice("How long", SANCTIONS, SANCTIONS[2].value);
    const reason = textField("Reason", { maxlength: MAX_REASON }, "The people read it.");
    ask(refs, {
      title: ["Ban an address"],
      lead: ["It keeps out guests, but nobody with a login or a role."],
      fields: [network.element, long.element, reason.element],
      button: "Ban",
      danger: true,
      run: () => act({ action: "ban", network: network.value, ...(long.value !== null && { seconds: long.value }), ...(reason.value && { reason: reason.value }) }),
    });
  }
}

const titleOf = (undo) => (undo === "unban" ? "Banned" : "Muted");

/** What else than the person it holds for. A guest whose address is free can come back under another name. */
function extent(member, networks) {
  if (!member || (!networks.length && member.startsWith("user:"))) return undefined;
  const addresses = `and ${networks.length === 1 ? "the address" : "the addresses"} ${networks.join(", ")}`;
  return make("span", { class: "hint" }, networks.length ? addresses : "but not the address");
}
