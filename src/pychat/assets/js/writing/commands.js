/** Commands such as `/nick Ada`. Those who may not use one do not see it. Loaded when somebody first types `/`. */

import { copy } from "../view/clipboard.js";
import { toast } from "../view/toast.js";
import { refusalText, t } from "../words.js";

const UNITS = { m: 60, h: 3600, d: 86_400 };
const DURATION = /^(\d{1,4})([mhd])(?=\s|$)/i;
const WEEK = 7 * UNITS.d;
const SHRUG = "¯\\_(ツ)_/¯";

/** Isolates a name in a plain text. */
const isolated = (name) => `\u2068${name}\u2069`;

/** A mistake in a command, with what to do about it. */
class Mistake extends Error {
  get text() {
    return this.message;
  }
}

/**
 * @typedef {object} Command
 * @property {string} args keys of the words for its arguments: `name`, `person` …; empty without any
 * @property {() => boolean} [may] whether the user has it
 * @property {(rest: string) => unknown} run a text that it returns is sent as a message
 */

/**
 * @param {import("../room.js").Room} room
 * @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {object} ways
 * @param {{chat: import("../chat.js").Chat, write(member: import("../log.js").Member, text?: string): void}} [ways.rooms] of the user
 * @param {() => void} ways.help
 */
export function commands(room, refs, { rooms, help }) {
  const done = (key, values, undo) => toast(refs, t(`command.done.${key}`, values), undo);
  const moderates = () => room.moderates;
  const setTopic = (topic) => room.moderate({ action: "set", topic });

  /** @type {Record<string, Command>} */
  const table = {
    me: { args: "action", run: needed },
    shrug: { args: "maybe-text", run: (rest) => `${rest} ${SHRUG}`.trim() },
    nick: { args: "name", may: () => !room.you?.name_fixed, run: (rest) => room.join(needed(rest)) },
    dm: { args: "person-text", may: () => !!rooms, run: direct },
    invite: { args: "", run: invite },
    help: { args: "", run: help },
    topic: { args: "text", may: moderates, run: setTopic },
    kick: { args: "person-reason", may: moderates, run: (rest) => sanction("kick", rest) },
    mute: { args: "person-time-reason", may: moderates, run: (rest) => sanction("mute", rest) },
    unmute: { args: "person", may: moderates, run: (rest) => sanction("unmute", rest) },
    ban: { args: "person-time-reason", may: moderates, run: (rest) => sanction("ban", rest) },
  };

  const allowed = (name) => Object.hasOwn(table, name) && (table[name].may?.() ?? true);

  function needed(words) {
    if (!words) throw new Mistake(t("command.incomplete"));
    return words;
  }

  /** The person whose name the words begin with, and the words behind it. The longest name counts. */
  async function personIn(words) {
    const said = needed(words.replace(/^@/, ""));
    const lower = said.toLocaleLowerCase();
    const here = room.people.listed ? room.people.members : (await room.who()).members;
    const away = room.log.entries.flatMap(({ author }) => author ?? []);
    const named = [...here, ...away].filter(({ id, name }) => {
      const begins = name && lower.startsWith(name.toLocaleLowerCase());
      return begins && id !== room.me?.id && /^(\s|$)/.test(said.slice(name.length));
    });
    const longest = Math.max(...named.map(({ name }) => name.length));
    const member = named.find(({ name }) => name.length === longest);
    if (!member) throw new Mistake(t("command.nobody", { name: isolated(said.split(/\s/)[0]) }));
    return { member, rest: said.slice(longest).trim() };
  }

  async function direct(words) {
    const { member, rest } = await personIn(words);
    rooms.write(member, rest);
  }

  async function sanction(action, words) {
    const { member, rest } = await personIn(words);
    const [long, count, unit] = DURATION.exec(rest) ?? [""];
    const reason = rest.slice(long.length).trim();
    await room.moderate({ action, member: member.id, ...(long && { seconds: Number(count) * UNITS[unit.toLowerCase()] }), ...(reason && { reason }) });
    const ends = { ban: "unban", mute: "unmute" }[action];
    done(action, { name: isolated(member.name) }, ends && (() => room.moderate({ action: ends, member: member.id })));
  }

  /** Copies a link: a moderator's lets one person in, everybody else's is the address. */
  async function invite() {
    const ticket = room.moderates ? (await room.moderate({ action: "invite", uses: 1, seconds: WEEK, role: "member" })).token : "";
    const address = ticket ? `${refs.address}#invite=${encodeURIComponent(ticket)}` : refs.address;
    if (!(await copy(address))) throw new Mistake(t("command.invitation", { address }));
    done(ticket ? "invite" : "address", {});
  }

  return {
    /** What the user may use and begins with these letters. @param {string} query @returns {import("./completion.js").Option[]} */
    options(query) {
      const wanted = query.toLowerCase();
      const names = Object.keys(table).filter((name) => name.startsWith(wanted) && allowed(name));
      return names.map((name) => {
        const { args } = table[name];
        return { text: `/${name} `, label: args ? `/${name} ${t(`command.args.${args}`)}` : `/${name}`, hint: t(`command.${name}`), whole: name === wanted };
      });
    },
    /**
     * @param {string} name @param {string} rest
     * @returns {Promise<{error?: string, text?: string}>} why it was not done, or a text to send as a message
     */
    async run(name, rest) {
      if (!allowed(name)) return { error: t("command.unknown", { command: `/${name}` }) };
      try {
        const text = await table[name].run(rest);
        return typeof text === "string" ? { text } : {};
      } catch (mistake) {
        if (typeof mistake.text !== "string") throw mistake;
        return { error: mistake instanceof Mistake ? mistake.text : refusalText(mistake) };
      }
    },
  };
}
