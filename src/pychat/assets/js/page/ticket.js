/** Invitations and owner links: `#invite=TOKEN` and `#owner=TOKEN`. What is behind `#` is sent to no server by itself. */

import { Entrance } from "../entrance.js";
import { Person } from "../person.js";
import { refusalText } from "../words.js";

const TICKET = /^#(invite|owner)=(.+)$/;

/**
 * Takes the token out of the address bar, so that nobody copies it from there, nor finds it in the history.
 * @returns {{invite: string} | {owner: string} | null}
 */
export function takeTicket() {
  const [, kind, token] = TICKET.exec(location.hash) ?? [];
  if (!kind) return null;
  history.replaceState(history.state, "", location.pathname + location.search);
  try {
    return { [kind]: decodeURIComponent(token) };
  } catch {
    return { [kind]: token };
  }
}

/**
 * Shows the ticket of the address to the server, before the page connects.
 * @param {object} options
 * @param {URL} options.base @param {string} options.room its name @param {Storage} options.storage @param {string} options.key of the person in it
 * @returns {Promise<string>} why it was refused; empty if it was not, or if there is none
 */
export async function useTicket({ base, room, storage, key }) {
  const ticket = takeTicket();
  if (!ticket) return "";
  const person = new Person(storage, key);
  const entrance = new Entrance({ base, room, token: () => person.token, become: (token) => token !== person.token && person.become(token) });
  try {
    await entrance.enter(ticket);
    return "";
  } catch (refusal) {
    return refusalText(refusal);
  }
}
