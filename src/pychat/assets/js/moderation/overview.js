/** The answer to `moderation` as the panel shows it: records become rows, and what belongs together is one row. Pure. */

/**
 * @param {object} answer as on the wire
 * @param {(id: string) => string | undefined} nameOf the name of a member who is in sight
 */
export function overview({ settings = {}, roles = [], bans = [], mutes = [], invites = [], reports = [], held = [], asking = [], more = false }, nameOf) {
  const named = roles.map(({ member, name, role }) => ({ member, role, name: name || nameOf(member) || member }));
  const known = new Map(named.map(({ member, name }) => [member, name]));
  const whoIs = (id, name) => name || (id && (nameOf(id) ?? known.get(id) ?? id));
  const author = ({ member, name }) => ({ id: member, name: whoIs(member, name) });
  return {
    settings,
    more,
    roles: named,
    bans: sanctions(bans, whoIs),
    mutes: sanctions(mutes, whoIs),
    invitations: invites.map(({ invite, uses, until, role, by, by_name: name }) => ({ invite, uses, until, role, by: whoIs(by, name) })),
    reports: reports.map(({ item, target, text, reason, date, by, by_name: name, ...data }) => ({ item, target, text, reason, date, author: author(data), by: whoIs(by, name) })),
    held: held.map(({ item, text, reason, date, ...data }) => ({ item, text, reason, date, author: author(data) })),
    asking: asking.map(({ item, name, text, date }) => ({ item, name, text, date })),
  };
}

/** A ban of a person and those of their addresses are one row: the server ends them together. */
function sanctions(records, whoIs) {
  const rows = new Map();
  for (const { member, network, name, by, by_name: byName, until, reason, kick } of records) {
    const key = member ?? network;
    const row = rows.get(key) ?? { key, member, name: whoIs(member, name), networks: [], until, reason, by: whoIs(by, byName), kick };
    if (network) row.networks.push(network);
    rows.set(key, row);
  }
  return [...rows.values()];
}
