/** The list of people: beside the conversation if there is space, else in a sheet. */

import { initials } from "../colour.js";
import { list as joined, locale, t } from "../words.js";
import { oneStop } from "./one-stop.js";
import { badgeName, fillRoles } from "./roles.js";
import { sideSheet } from "./side-sheet.js";
import { write } from "./template-refs.js";

/** People from which on there is a field to find one. */
const MANY = 20;

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} showPerson called for a click on a name
 */
export function panel(room, refs, showPerson) {
  const button = refs.find("people-button", "button");
  const list = refs.find("people", "ul");
  const guests = refs.find("guests");
  const filter = refs.find("people-filter", "input");
  const none = refs.find("people-none");
  const stops = oneStop(list, "button.person");
  let place = null;
  const rows = new Map();
  let answered = null;
  let asking = false;

  const names = new Intl.Collator(locale(), { sensitivity: "base", numeric: true });

  function show() {
    const { here, listed } = room.people;
    const known = room.about !== null && room.state.name !== "refused";
    button.hidden = !known;
    write(refs.find("people-count"), String(here));
    write(refs.find("panel-count"), known ? String(here) : "");
    const words = t("people.here", { count: here });
    button.setAttribute("aria-label", words);
    button.title = words;
    if (listed) answered = null;
    if (!place?.visible) return;
    if (!listed) ask();
    const members = listed ? room.people.members : (answered ?? []);
    draw(members);
    const more = listed ? room.people.guests : Math.max(0, here - members.length);
    guests.hidden = !known || more === 0 || (!listed && answered === null);
    write(guests, listed ? guestWords(more, !room.me) : t("people.more", { count: more }));
  }

  function draw(members) {
    filter.hidden = members.length <= MANY && !filter.value;
    const words = filter.hidden ? "" : filter.value.trim().toLocaleLowerCase();
    const wanted = words ? members.filter(({ name }) => name.toLocaleLowerCase().includes(words)) : [...members];
    none.hidden = wanted.length > 0 || !words;
    write(none, none.hidden ? "" : t("people.none"));
    const sorted = wanted.sort((a, b) => (b.id === room.me?.id) - (a.id === room.me?.id) || names.compare(a.name, b.name));
    const keep = new Set(sorted.map(({ id }) => id));
    for (const [id, row] of rows) {
      if (keep.has(id)) continue;
      row.remove();
      rows.delete(id);
    }
    let at = list.firstElementChild;
    for (const { id, name, roles = [] } of sorted) {
      let row = rows.get(id);
      if (!row) {
        row = refs.copy("person");
        row.firstElementChild.addEventListener("click", ({ currentTarget }) => showPerson(members.find((one) => one.id === id) ?? { id, name }, currentTarget));
        row.style.setProperty("--hue", room.people.hueOf(id));
        rows.set(id, row);
      }
      write(row.querySelector(".avatar"), initials(name));
      write(row.querySelector(".person-name"), name);
      fillRoles(row.querySelector(".person-name"), roles, refs);
      row.title = roles.length ? `${name} (${joined(roles.map(badgeName), { type: "unit" })})` : name;
      row.querySelector(".you").hidden = id !== room.me?.id;
      row.firstElementChild.disabled = id === room.me?.id;
      if (row === at) at = at.nextElementSibling;
      else list.insertBefore(row, at);
    }
    stops.settle();
  }

  /** Asks for the names, which the server does not send in a large room. At most one request at a time. */
  async function ask() {
    if (asking || room.state.name !== "live") return;
    asking = true;
    try {
      answered = (await room.who()).members;
      show();
    } catch {
      // The next change of the room asks again.
    } finally {
      setTimeout(() => (asking = false), 5000);
    }
  }

  place = sideSheet(refs, {
    inner: refs.find("panel"),
    side: refs.find("side", "aside"),
    sheet: refs.find("people-dialog", "dialog"),
    close: refs.find("panel-close", "button"),
    changed: show,
  });
  button.addEventListener("click", () => place.open());
  filter.addEventListener("input", show);
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") stops.focus();
    else if (event.key === "Escape" && filter.value) {
      filter.value = "";
      show();
    } else return;
    event.preventDefault();
  });
  for (const event of ["people", "me", "welcome", "state"]) room.on(event, show);
  // The sheet would cover the reason.
  room.on("state", ({ name }) => name === "refused" && place.close());
}

/** @param {number} count of people without a name @param {boolean} includesMe */
function guestWords(count, includesMe) {
  if (!includesMe) return t("people.guests", { count });
  return count === 1 ? t("people.guest-me") : t("people.guests-and-me", { count: count - 1 });
}
