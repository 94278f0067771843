/** What a user reads who is outside of a room, and whether and when it can be opened again. Pure. */

import { moment, refusalText, t } from "../words.js";

/** Codes of refusals that stand in place of a room, also if the user was in it. */
export const BARRED = new Set(["unknown_room", "no_access", "deleted", "entry_required", "challenge_required"]);

/** The server's words for those whom it disconnects without a reason. */
const DISCONNECTED = "You were disconnected by the server.";

/** @param {string} [code] of the refusal @returns {string} */
export const barredTitle = (code) => (BARRED.has(code) ? t(`barred.${code}`) : t("barred.title"));

/**
 * The button of a refusal: nobody who was put out is led back in before the time.
 * @param {import("../link.js").State} state @param {Date} now @param {boolean} wholePage
 * @returns {{label: string, reload?: boolean} | null} `null` if there is none
 */
export function wayBack({ code, until }, now, wholePage) {
  if (until) return Date.parse(until) <= now ? { label: t("barred.enter-again") } : null;
  if (code === "banned") return null;
  if (code === "kicked") return { label: t("barred.enter-again") };
  if (code === "room_closed") return { label: t("common.try-again") };
  // A reload of the chat page may lead to a login; the element must not reload its host page.
  if (!wholePage) return { label: t("barred.connect-again") };
  return { label: code === "login_ended" ? t("barred.log-in-again") : t("common.try-again"), reload: true };
}

/**
 * Why the user is outside, and until when by the clock of the reader: the server's text has the time in UTC.
 * @param {import("../link.js").State} state @param {Date} now @returns {string}
 */
export function farewell(state, now) {
  const { code, text = "", until } = state;
  // The application removed somebody, and its words may not say so; or it disconnected everybody.
  if (code === "kicked" && !until) return !text || text === DISCONNECTED ? t("barred.disconnected") : `${t("barred.kicked")} ${text}`;
  const words = refusalText(state);
  if (!until) return words;
  const date = new Date(until);
  const utc = `${until.slice(0, 16).replace("T", " ")} UTC`;
  const time = moment(date, now);
  if (date <= now) return `${words.replace(` You can come back at ${utc}.`, "").replace(utc, time)} ${t("barred.back-now")}`;
  const told = words.replace(utc, time);
  return told === words ? `${words} ${t("barred.back-at", { time })}` : told;
}
