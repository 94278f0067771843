/** Who may do what to whom. The server decides; this only leaves out what it would refuse. Pure. */

/** From the lowest to the highest. */
export const ROLES = ["reader", "guest", "member", "moderator", "owner"];

const rank = (role) => ROLES.indexOf(role);
const MODERATOR = rank("moderator");

/** The role of a member as everybody sees it. @param {import("../room.js").Room} room @param {string} id */
export function roleOf(room, id) {
  const roles = room.people.rolesOf(id);
  return roles.includes("owner") ? "owner" : roles.includes("moderator") ? "moderator" : "";
}

/** The user's own role; an application may let people moderate without one. @param {import("../room.js").Room} room */
const ownRank = (room) => (room.moderates ? Math.max(MODERATOR, rank(room.role)) : rank(room.role));

/** Whether the user may kick, mute and ban a member. @param {import("../room.js").Room} room @param {string} id */
export function outranks(room, id) {
  return room.moderates && id !== room.me?.id && ownRank(room) > Math.max(rank(roleOf(room, id)), 0);
}

/** The roles that the user may give a member. @param {import("../room.js").Room} room @param {string} id @returns {string[]} */
export function rolesToGive(room, id) {
  const isOwner = ownRank(room) === rank("owner");
  if (!isOwner && !outranks(room, id)) return [];
  return isOwner ? ROLES : ROLES.slice(0, MODERATOR);
}
