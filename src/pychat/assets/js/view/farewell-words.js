/** What a user reads who is outside of a room, and whether and when it can be opened again. Pure. */

import { moment } from "../time.js";

/** What stands in place of a room, by the code of the refusal, also if the user was in it. */
export const BARRED = {
  unknown_room: "There is no such room",
  no_access: "You cannot read this room any more",
  deleted: "This room was deleted",
  entry_required: "This room is not open to everyone",
  challenge_required: "A short check before you enter",
};

/** @param {string} [code] of the refusal @returns {string} */
export const barredTitle = (code) => BARRED[code] ?? "You cannot enter this room";

/**
 * The button of a refusal: nobody who was put out is led back in before the time.
 * @param {import("../link.js").State} state @param {Date} now @param {boolean} wholePage
 * @returns {{label: string, reload?: boolean} | null} `null` if there is none
 */
export function wayBack({ code, until }, now, wholePage) {
  if (until) return Date.parse(until) <= now ? { label: "Enter again" } : null;
  if (code === "banned") return null;
  if (code === "room_closed") return { label: "Try again" };
  // A reload of the chat page may lead to a login; the element must not reload its host page.
  if (!wholePage) return { label: "Connect again" };
  return { label: code === "login_ended" ? "Log in again" : "Reload the page", reload: true };
}

/**
 * Why the user is outside, and until when by the clock of the reader: the server's text has the time in UTC.
 * @param {import("../link.js").State} state @param {Date} now @returns {string}
 */
export function farewell({ text = "", until }, now) {
  if (!until) return text;
  const date = new Date(until);
  if (date <= now) return `${text} You can come back now.`;
  const told = text.replace(`${until.slice(0, 16).replace("T", " ")} UTC`, moment(date, now));
  return told === text ? `${text} You can come back at ${moment(date, now)}.` : told;
}
