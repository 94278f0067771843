/** What a moderator can do about a person, each with a card that asks how. */

import { ask } from "../dialogs/ask.js";
import { nameOf } from "../view/elements.js";
import { check, choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { toast } from "../view/toast.js";
import { pieces, t } from "../words.js";
import { HOUR_SECONDS, lasting, lengths, RECENT, SANCTIONS } from "./durations.js";
import { outranks, roleOf, ROLES, rolesToGive } from "./ranks.js";

const PATHS = {
  mute: "M4 8v4h2.5L10 15V5L6.5 8zM13 8l4 4m0-4-4 4",
  kick: "M8 4H4.5v12H8M8 10h8.5M13.5 7l3 3-3 3",
  ban: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM5 5l10 10",
  clear: "M4 5.5h12M8 5.3V3.8h4v1.5M5.6 5.7l.7 10.5h7.4l.7-10.5",
  role: "M10 2.5 16 4.8v4.6c0 3.7-2.4 6.6-6 8.1-3.6-1.5-6-4.4-6-8.1V4.8z",
};

/** Isolates a name in a plain text. */
const isolated = (name) => `\u2068${name}\u2069`;

/**
 * @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs @param {import("../log.js").Member} member
 * @returns {{label: string, path: string, danger?: boolean, run(): void}[]}
 */
export function personActions(room, refs, member) {
  const { id, name } = member;
  // What an application posts has no person behind it.
  const isPerson = !id.startsWith("post:");
  const below = outranks(room, id);
  const roles = isPerson ? rolesToGive(room, id) : [];
  const act = (action, fields) => room.moderate({ action, member: id, ...fields });

  const actions = [
    below && isPerson && { label: t("person.mute-more"), path: PATHS.mute, run: mute },
    below && isPerson && { label: t("person.remove-more"), path: PATHS.kick, run: kick },
    below && isPerson && { label: t("person.ban-more"), path: PATHS.ban, danger: true, run: ban },
    below && { label: t("person.clear-more"), path: PATHS.clear, danger: true, run: clear },
    roles.length && { label: t("person.role-more"), path: PATHS.role, run: giveRole },
  ];
  return actions.filter(Boolean);

  function mute() {
    const { long, why, address } = sanctionFields();
    ask(refs, {
      title: pieces("person.mute-title", { name: nameOf(name) }),
      lead: pieces("person.mute-lead", { name: nameOf(name) }),
      fields: [long.element, why.element, address?.element],
      button: t("person.mute"),
      async run() {
        await act("mute", { ...seconds(long), ...reason(why), ...addressOf(address) });
        toast(refs, t("person.muted", { name: isolated(name), duration: lasting(long.value) }), () => act("unmute"));
      },
    });
  }

  function kick() {
    const { why, address } = sanctionFields();
    ask(refs, {
      title: pieces("person.remove-title", { name: nameOf(name) }),
      lead: pieces("person.remove-lead", { name: nameOf(name) }),
      fields: [why.element, address?.element],
      button: t("person.remove"),
      danger: true,
      async run() {
        await act("kick", { ...reason(why), ...addressOf(address) });
        toast(refs, t("person.removed", { name: isolated(name) }));
      },
    });
  }

  function ban() {
    const { long, why, address } = sanctionFields(SANCTIONS[2]);
    const messages = check(t("person.ban-messages"), undefined, true);
    ask(refs, {
      title: pieces("person.ban-title", { name: nameOf(name) }),
      lead: pieces("person.ban-lead", { name: nameOf(name) }),
      fields: [long.element, why.element, address?.element, messages.element],
      button: t("moderation.ban"),
      danger: true,
      async run() {
        await act("ban", { ...seconds(long), ...reason(why), ...addressOf(address), ...(messages.value && { delete: HOUR_SECONDS }) });
        toast(refs, t("person.banned", { name: isolated(name), duration: lasting(long.value) }), () => act("unban"));
      },
    });
  }

  function clear() {
    const long = choice(t("moderation.messages-of"), lengths(RECENT), HOUR_SECONDS);
    const why = textField(t("moderation.reason"), { maxlength: MAX_REASON }, t("moderation.reason-log"));
    ask(refs, {
      title: pieces("person.clear-title", { name: nameOf(name) }),
      lead: [t("person.clear-lead")],
      fields: [long.element, why.element],
      button: t("common.delete"),
      danger: true,
      async run() {
        const { deleted = 0 } = await act("clear", { seconds: long.value, ...reason(why) });
        toast(refs, t("person.cleared", { count: deleted, name: isolated(name) }));
      },
    });
  }

  function giveRole() {
    const now = roleOf(room, id) || (id.startsWith("user:") ? "member" : "guest");
    const role = choice(t("person.role"), roles.map((value) => ({ label: roleName(value), hint: t(`role-hint.${value}`), value })).reverse(), now);
    ask(refs, {
      title: pieces("person.role-title", { name: nameOf(name) }),
      fields: [role.element],
      button: t("person.role-give"),
      async run() {
        await act("role", { role: role.value });
        toast(refs, t("person.role-given", { name: isolated(name), role: roleName(role.value) }));
      },
    });
  }

  function sanctionFields(chosen = SANCTIONS[0]) {
    const isGuest = !id.startsWith("user:");
    return {
      long: choice(t("moderation.how-long"), lengths(SANCTIONS), chosen),
      why: textField(t("moderation.reason"), { maxlength: MAX_REASON }, t("moderation.reason-hint")),
      address: isGuest ? choice(t("person.address"), addresses()) : undefined,
    };
  }
}

/** Without a choice of the moderator, the server decides by who else has the address. */
const addresses = () => [
  { label: t("person.address-auto"), hint: t("person.address-auto-hint"), value: undefined },
  { label: t("person.address-yes"), hint: t("person.address-yes-hint"), value: true },
  { label: t("person.address-no"), hint: t("person.address-no-hint"), value: false },
];

const addressOf = (address) => (address?.value === undefined ? {} : { address: address.value });
const seconds = ({ value }) => (value === null ? {} : { seconds: value });
const reason = ({ value }) => (value ? { reason: value } : {});

/** The name of a role; those of the application are its own. @param {string} role @returns {string} */
export const roleName = (role) => (ROLES.includes(role) ? t(`role.${role}`) : role);
