/** The answer to `moderation` as the panel shows it: records become rows, and what belongs together is one row. Pure. */

const MEMBER = "member:";
const ADDRESS = "address:";

/** @param {number | string | undefined} date seconds since 1970, or ISO 8601 @returns {string | undefined} ISO 8601 */
const iso = (date) => (typeof date === "number" ? new Date(date * 1000).toISOString() : date);

/**
 * @param {object} answer as on the wire
 * @param {(id: string) => string | undefined} nameOf the name of a member who is in sight
 */
export function overview({ settings = {}, role = [], ban = [], mute = [], invite = [], report = [], held = [], asking = [] }, nameOf) {
  const roles = role.map(({ key, ...data }) => ({ ...data, member: key, name: data.name || nameOf(key) || key }));
  const named = new Map(roles.map(({ member, name }) => [member, name]));
  const whoIs = (id, name) => name || (id && (nameOf(id) ?? named.get(id) ?? id));
  const author = ({ member, name }) => ({ id: member, name: whoIs(member, name) });
  return {
    settings,
    roles,
    bans: sanctions(ban, whoIs),
    mutes: sanctions(mute, whoIs),
    invitations: invite.map(({ key, by, by_name: name, ...data }) => ({ ...data, invite: key, by: whoIs(by, name) })),
    reports: report.map(({ key, by, by_name: name, date, ...data }) => ({ item: key, target: data.target, text: data.text, reason: data.reason, author: author(data), by: whoIs(by, name), date: iso(date) })),
    held: held.filter(({ approved }) => !approved).map(({ key, date, text, reason, ...data }) => ({ item: key, text, reason, author: author(data), date: iso(date) })),
    asking: asking.filter(({ rejected }) => !rejected).map(({ key, date, name, text }) => ({ item: key, name, text, date: iso(date) })),
  };
}

/** A ban of a person and those of their addresses are one: the server ends them together. */
function sanctions(records, whoIs) {
  const rows = new Map();
  for (const { key, member, name, by, by_name: byName, until, reason, kick } of records) {
    const network = key.startsWith(ADDRESS) ? key.slice(ADDRESS.length) : undefined;
    const id = member ?? (network ? undefined : key.slice(MEMBER.length));
    const row = rows.get(id ?? key) ?? { key: id ?? key, member: id, name: whoIs(id, name), networks: [], until, reason, by: whoIs(by, byName), kick };
    if (network) row.networks.push(network);
    rows.set(row.key, row);
  }
  return [...rows.values()];
}
