/** How long things last, as moderators choose it and as people read it. */

import { moment } from "../time.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds; `null` has no end. */
export const SANCTIONS = [
  { label: "10 minutes", value: 10 * MINUTE },
  { label: "1 hour", value: HOUR },
  { label: "1 day", value: DAY },
  { label: "For ever", value: null },
];

/** Seconds of messages to delete. */
export const RECENT = [
  { label: "10 minutes", value: 10 * MINUTE },
  { label: "1 hour", value: HOUR },
  { label: "1 day", value: DAY },
];

export const HOUR_SECONDS = HOUR;

/** "for 10 minutes", "for ever". @param {number | null} seconds */
export function lasting(seconds) {
  const known = SANCTIONS.find(({ value }) => value === seconds);
  return known?.value ? `for ${known.label}` : "for ever";
}

/** "until 14:05", "for ever". @param {string | undefined} until ISO 8601 @param {Date} [now] */
export function ending(until, now = new Date()) {
  return until ? `until ${moment(new Date(until), now)}` : "for ever";
}
