/** Completes a name after `@`. */

import { initials } from "../colour.js";
import { HERE, beginning, matching } from "../mentions.js";
import { t } from "../words.js";

const MAX_OPTIONS = 6;
/** Milliseconds for which the names of a large room are kept. */
const FRESH = 20_000;

/** @param {import("../room.js").Room} room @param {() => void} changed called when more names are known @returns {import("./completion.js").Source} */
export function mentionSource(room, changed) {
  let asked = { at: -Infinity, members: [] };

  function members() {
    const found = room.people.listed ? room.people.members : asked.members;
    return found.filter(({ id }) => id !== room.me?.id);
  }

  /** The server sends no names in a large room. */
  async function ask() {
    if (room.people.listed || Date.now() - asked.at < FRESH) return;
    asked = { ...asked, at: Date.now() };
    try {
      asked.members = (await room.who()).members;
      changed();
    } catch {
      // The list stays without names.
    }
  }

  function options(query) {
    ask();
    const wanted = query.toLocaleLowerCase();
    const people = matching(members(), query, MAX_OPTIONS).map(({ id, name }) => ({ name, mark: initials(name), hue: room.people.hueOf(id) }));
    const here = HERE.startsWith(wanted) ? [{ name: HERE, mark: "@", hue: room.people.hueOf(""), hint: t("composer.mention-here") }] : [];
    return [...people, ...here].map((one) => ({ ...one, label: one.name, text: `@${one.name} `, whole: one.name.toLocaleLowerCase() === wanted }));
  }

  return { label: () => t("composer.mentions"), beginning: (text, caret) => beginning(text, caret, room.limits.name), options };
}
