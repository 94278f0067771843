/** Why the user cannot write. Pure. */

import { moment, t } from "../words.js";

/** @param {import("../room.js").Room} room @param {Date} now @returns {string} */
export function silenceText({ muted, writing, role }, now) {
  if (muted) {
    const { until, reason } = muted;
    const time = until && moment(new Date(until), now);
    if (until) return reason ? t("silence.muted-until-because", { time, reason }) : t("silence.muted-until", { time });
    return reason ? t("silence.muted-because", { reason }) : t("silence.muted");
  }
  if (role === "reader") return t("silence.reader");
  if (writing === "moderators") return t("silence.moderators");
  if (writing === "members" && role === "guest") return t("silence.members");
  return t("silence.some");
}
