/** How long things last, as moderators choose it and as people read it. */

import { moment, span, t } from "../words.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Seconds; `null` has no end. */
export const SANCTIONS = [10 * MINUTE, HOUR, DAY, null];

/** Seconds of messages to delete. */
export const RECENT = [10 * MINUTE, HOUR, DAY];

export const HOUR_SECONDS = HOUR;

/** Choices of a field. @param {(number | null)[]} lengths seconds */
export const lengths = (lengths) => lengths.map((value) => ({ label: value === null ? t("moderation.no-end") : span(value), value }));

/** "for 10 minutes", "for ever". @param {number | null} seconds */
export function lasting(seconds) {
  return seconds ? t("moderation.for", { duration: span(seconds) }) : t("moderation.for-ever");
}

/** "until 14:05", "for ever". @param {string | undefined} until ISO 8601 @param {Date} [now] */
export function ending(until, now = new Date()) {
  return until ? t("moderation.until", { time: moment(new Date(until), now) }) : t("moderation.for-ever");
}
