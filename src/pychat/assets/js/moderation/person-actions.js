/** What a moderator can do about a person, each with a card that asks how. */

import { ask } from "../dialogs/ask.js";
import { nameOf } from "../view/elements.js";
import { check, choice, MAX_REASON, textField } from "../dialogs/fields.js";
import { toast } from "../view/toast.js";
import { HOUR_SECONDS, lasting, RECENT, SANCTIONS } from "./durations.js";
import { outranks, roleOf, ROLE_HINTS, ROLES, rolesToGive } from "./ranks.js";

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
    below && isPerson && { label: "Mute…", path: PATHS.mute, run: mute },
    below && isPerson && { label: "Remove…", path: PATHS.kick, run: kick },
    below && isPerson && { label: "Ban…", path: PATHS.ban, danger: true, run: ban },
    below && { label: "Delete messages…", path: PATHS.clear, danger: true, run: clear },
    roles.length && { label: "Give a role…", path: PATHS.role, run: giveRole },
  ];
  return actions.filter(Boolean);

  function mute() {
    const { long, why, address } = sanctionFields();
    ask(refs, {
      title: ["Mute ", nameOf(name), "?"],
      lead: [nameOf(name), " can still read, but not write or react."],
      fields: [long.element, why.element, address?.element],
      button: "Mute",
      async run() {
        await act("mute", { ...seconds(long), ...reason(why), ...addressOf(address) });
        toast(refs, `${isolated(name)} is muted ${lasting(long.value)}.`, () => act("unmute"));
      },
    });
  }

  function kick() {
    const { why, address } = sanctionFields();
    ask(refs, {
      title: ["Remove ", nameOf(name), " from the room?"],
      lead: [nameOf(name), " can come back after a minute."],
      fields: [why.element, address?.element],
      button: "Remove",
      danger: true,
      async run() {
        await act("kick", { ...reason(why), ...addressOf(address) });
        toast(refs, `${isolated(name)} was removed, and can come back after a minute.`);
      },
    });
  }

  function ban() {
    const { long, why, address } = sanctionFields(SANCTIONS[2].value);
    const messages = check("Also delete their messages of the last hour", undefined, true);
    ask(refs, {
      title: ["Ban ", nameOf(name), "?"],
      lead: [nameOf(name), " is removed and cannot enter."],
      fields: [long.element, why.element, address?.element, messages.element],
      button: "Ban",
      danger: true,
      async run() {
        await act("ban", { ...seconds(long), ...reason(why), ...addressOf(address), ...(messages.value && { delete: HOUR_SECONDS }) });
        toast(refs, `${isolated(name)} is banned ${lasting(long.value)}.`, () => act("unban"));
      },
    });
  }

  function clear() {
    const long = choice("Messages of the last", RECENT, HOUR_SECONDS);
    const why = textField("Reason", { maxlength: MAX_REASON }, "Only moderators read it, in the log.");
    ask(refs, {
      title: ["Delete messages of ", nameOf(name), "?"],
      lead: ["Everybody sees that messages were deleted. This cannot be undone."],
      fields: [long.element, why.element],
      button: "Delete",
      danger: true,
      async run() {
        const { deleted = 0 } = await act("clear", { seconds: long.value, ...reason(why) });
        toast(refs, deleted === 1 ? `1 message of ${isolated(name)} was deleted.` : `${deleted} messages of ${isolated(name)} were deleted.`);
      },
    });
  }

  function giveRole() {
    const now = roleOf(room, id) || (id.startsWith("user:") ? "member" : "guest");
    const role = choice("Role", roles.map((value) => ({ label: titleCase(value), hint: ROLE_HINTS[value], value })).reverse(), now);
    ask(refs, {
      title: ["Role of ", nameOf(name)],
      fields: [role.element],
      button: "Give",
      async run() {
        await act("role", { role: role.value });
        toast(refs, `${isolated(name)} has the role ${titleCase(role.value)} now.`);
      },
    });
  }

  function sanctionFields(chosen = SANCTIONS[0].value) {
    const isGuest = !id.startsWith("user:");
    return {
      long: choice("How long", SANCTIONS, chosen),
      why: textField("Reason", { maxlength: MAX_REASON }, "The person reads it."),
      address: isGuest ? choice("Also their address", ADDRESS) : undefined,
    };
  }
}

/** Without a choice of the moderator, the server decides by who else has the address. */
const ADDRESS = [
  { label: "Automatic", hint: "Yes, if nobody else here has it", value: undefined },
  { label: "Yes", hint: "All guests at the address, which can be a whole school", value: true },
  { label: "No", hint: "The guest can come back under another name", value: false },
];

const addressOf = (address) => (address?.value === undefined ? {} : { address: address.value });
const seconds = ({ value }) => (value === null ? {} : { seconds: value });
const reason = ({ value }) => (value ? { reason: value } : {});

/** @param {string} role @returns {string} */
export const titleCase = (role) => (ROLES.includes(role) ? role[0].toUpperCase() + role.slice(1) : role);
