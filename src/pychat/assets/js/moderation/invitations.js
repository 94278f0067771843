/** Invitation links: make one, copy it, revoke it. The server tells the token once; nobody can read it later. */

import { moment } from "../time.js";
import { ask } from "../dialogs/ask.js";
import { copyText } from "../view/clipboard.js";
import { make, nameOf } from "../view/elements.js";
import { choice } from "../dialogs/fields.js";
import { titleCase } from "./person-actions.js";
import { section } from "./rows.js";

const DAY = 86_400;
const USES = [
  { label: "1 person", value: 1 },
  { label: "10 people", value: 10 },
  { label: "Anybody", value: null },
];
const LASTS = [
  { label: "1 day", value: DAY },
  { label: "1 week", value: 7 * DAY },
  { label: "For ever", value: null },
];
const ROLES = ["member", "moderator"].map((value) => ({ label: titleCase(value), value }));

export class Invitations {
  #context;
  #list;
  #made = make("div", { class: "order-made", role: "status" });

  /** @param {import("./panel.js").Context} context */
  constructor(context) {
    this.#context = context;
    this.#list = section("", (item) => this.#draw(item));
    const add = make("button", { class: "button", type: "button", "aria-haspopup": "dialog", click: () => this.#ask() }, "New invitation…");
    this.element = make("section", {}, make("h3", {}, "Invitations"), make("p", { class: "hint" }, "Whoever opens the link becomes a member, and needs no password."), this.#made, this.#list.element, make("div", { class: "order-buttons" }, add));
  }

  /** @param {object[]} invitations */
  show(invitations) {
    this.#list.show(invitations, ({ invite }) => invite);
  }

  #draw({ invite, uses, until, role, by }) {
    const { act, attempt } = this.#context;
    const left = uses === undefined || uses === null ? "Any number of people" : uses === 1 ? "1 person" : `${uses} people`;
    const end = until ? `, until ${moment(new Date(until), new Date())}` : "";
    return make(
      "li",
      { class: "order-row compact" },
      make("div", {}, make("p", { class: "order-byline" }, make("b", {}, `${left}${end}`)), make("p", { class: "hint" }, `${titleCase(role ?? "member")}`, by ? ", made by " : "", by ? nameOf(by) : undefined)),
      make("button", { class: "button", type: "button", click: () => attempt(act({ action: "revoke", invite })) }, "Revoke"),
    );
  }

  #ask() {
    const { refs, room, act } = this.#context;
    const uses = choice("For", USES, 1);
    const lasts = choice("Lasts", LASTS, 7 * DAY);
    // Only owners can make moderators.
    const role = room.role === "owner" ? choice("They become", ROLES, "member") : { value: "member" };
    ask(refs, {
      title: ["New invitation"],
      fields: [uses.element, lasts.element, role.element],
      button: "Make a link",
      run: async () => {
        const { token } = await act({ action: "invite", ...(uses.value && { uses: uses.value }), ...(lasts.value && { seconds: lasts.value }), role: role.value });
        this.#tell(token);
      },
    });
  }

  /** Shows the link. It is behind `#`, so that browsers send it to no server and no log has it. */
  #tell(token) {
    const address = this.#context.refs.address;
    const field = make("input", { class: "field", type: "text", readonly: true, "aria-label": "Invitation link", value: `${address}#invite=${encodeURIComponent(token)}`, focus: () => field.select() });
    const button = make("button", { class: "button primary", type: "button", click: () => copyText(field, button) }, "Copy link");
    this.#made.replaceChildren(make("div", { class: "row" }, field, button), make("p", { class: "hint" }, "Copy it now: it is shown only once."));
    button.focus();
  }
}
