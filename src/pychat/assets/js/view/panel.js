/** The list of people: beside the conversation if there is space, else in a sheet. */

import { initials } from "../colour.js";
import { fillRoles } from "./roles.js";
import { sideSheet } from "./side-sheet.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {(member: import("../log.js").Member, at: HTMLElement) => void} showPerson called for a click on a name
 */
export function panel(room, refs, showPerson) {
  const button = refs.find("people-button", "button");
  const list = refs.find("people", "ul");
  const guests = refs.find("guests");
  let place = null;
  const rows = new Map();
  let answered = null;
  let asking = false;

  const names = new Intl.Collator(undefined, { sensitivity: "base", numeric: true });

  function show() {
    const { here, listed } = room.people;
    const known = room.about !== null && room.state.name !== "refused";
    button.hidden = !known;
    write(refs.find("people-count"), String(here));
    write(refs.find("panel-count"), known ? String(here) : "");
    button.setAttribute("aria-label", here === 1 ? "1 person here" : `${here} people here`);
    button.title = "People here";
    if (listed) answered = null;
    if (!place?.visible) return;
    if (!listed) ask();
    const members = listed ? room.people.members : (answered ?? []);
    draw(members);
    const more = listed ? room.people.guests : Math.max(0, here - members.length);
    guests.hidden = !known || more === 0 || (!listed && answered === null);
    write(guests, listed ? guestWords(more, !room.me) : `and ${more} more`);
  }

  function draw(members) {
    const sorted = [...members].sort((a, b) => (b.id === room.me?.id) - (a.id === room.me?.id) || names.compare(a.name, b.name));
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
      row.title = roles.length ? `${name} (${roles.join(", ")})` : name;
      row.querySelector(".you").hidden = id !== room.me?.id;
      row.firstElementChild.disabled = id === room.me?.id;
      if (row === at) at = at.nextElementSibling;
      else list.insertBefore(row, at);
    }
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
  for (const event of ["people", "me", "welcome", "state"]) room.on(event, show);
  // The sheet would cover the reason.
  room.on("state", ({ name }) => name === "refused" && place.close());
}

/** @param {number} count of people without a name @param {boolean} includesMe */
function guestWords(count, includesMe) {
  const others = count - 1 === 1 ? "1 other" : `${count - 1} others`;
  if (includesMe) return count === 1 ? "You have no name yet." : `You and ${others} have no name yet.`;
  return count === 1 ? "1 guest is reading." : `${count} guests are reading.`;
}
