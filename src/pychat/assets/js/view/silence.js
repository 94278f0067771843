/** Why the user cannot write. Pure. */

import { moment } from "../time.js";

/** @param {import("../room.js").Room} room @param {Date} now @returns {string} */
export function silenceText({ muted, writing, role }, now) {
  if (muted) {
    const until = muted.until ? `until ${moment(new Date(muted.until), now)}` : "here";
    return muted.reason ? `You are muted ${until}: ${muted.reason}` : `You are muted ${until}.`;
  }
  if (role === "reader") return "You can only read this room: a moderator has decided so.";
  if (writing === "moderators") return "Only moderators can write now.";
  if (writing === "members" && role === "guest") return "Only members can write now.";
  return "Only some people can write in this room.";
}
