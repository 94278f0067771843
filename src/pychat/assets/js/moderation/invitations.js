/** Invitation links: make one, copy it, revoke it. The server tells the token once; nobody can read it later. */

import { ask } from "../dialogs/ask.js";
import { copyText } from "../view/clipboard.js";
import { make, nameOf } from "../view/elements.js";
import { choice } from "../dialogs/fields.js";
import { moment, pieces, t } from "../words.js";
import { lengths } from "./durations.js";
import { roleName } from "./person-actions.js";
import { section } from "./rows.js";

const DAY = 86_400;
const USES = [1, 10, null];
const LASTS = [DAY, 7 * DAY, null];

export class Invitations {
  #context;
  #list;
  #made = make("div", { class: "order-made", role: "status" });

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#list = section("", (item) => this.#draw(item));
    const add = make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click: () => this.#ask() }, t("invitation.new-more"));
    this.element = make("section", {}, make("h3", {}, t("invitation.title")), make("p", { class: "hint" }, t("invitation.hint")), this.#made, this.#list.element, make("div", { class: "order-buttons" }, add));
  }

  /** @param {object[]} invitations */
  show(invitations) {
    this.#list.show(invitations, ({ invite }) => invite);
  }

  #draw({ invite, uses, until, role, by }) {
    const { act, attempt } = this.#context;
    const left = uses === undefined || uses === null ? t("invitation.any-people") : t("invitation.people", { count: uses });
    const end = until ? t("invitation.until", { people: left, time: moment(new Date(until)) }) : left;
    const as = roleName(role ?? "member");
    return make(
      "li",
      { class: "order-row compact" },
      make("div", {}, make("p", { class: "order-byline" }, make("b", {}, end)), make("p", { class: "hint" }, ...(by ? pieces("invitation.made-by", { role: as, name: nameOf(by) }) : [as]))),
      make("button", { class: "button", type: "button", click: () => attempt(act({ action: "revoke", invite })) }, t("invitation.revoke")),
    );
  }

  #ask() {
    const { refs, room, act } = this.#context;
    const uses = choice(t("invitation.for"), USES.map((value) => ({ label: value ? t("invitation.people", { count: value }) : t("invitation.anybody"), value })), 1);
    const lasts = choice(t("invitation.lasts"), lengths(LASTS), 7 * DAY);
    // Only owners can make moderators.
    const role = room.role === "owner" ? choice(t("invitation.role"), ["member", "moderator"].map((value) => ({ label: roleName(value), value })), "member") : { value: "member" };
    ask(refs, {
      title: [t("invitation.new")],
      fields: [uses.element, lasts.element, role.element],
      button: t("invitation.make"),
      run: async () => {
        const { token } = await act({ action: "invite", ...(uses.value && { uses: uses.value }), ...(lasts.value && { seconds: lasts.value }), role: role.value });
        this.#tell(token);
      },
    });
  }

  /** Shows the link. It is behind `#`, so that browsers send it to no server and no log has it. */
  #tell(token) {
    const address = this.#context.refs.address;
    const field = make("input", { class: "field", type: "text", readonly: true, "aria-label": t("invitation.link"), value: `${address}#invite=${encodeURIComponent(token)}`, focus: () => field.select() });
    const button = make("button", { class: "button primary", type: "button", click: () => copyText(field, button) }, t("share.copy"));
    this.#made.replaceChildren(make("div", { class: "row" }, field, button), make("p", { class: "hint" }, t("invitation.once")));
    button.focus();
  }
}
