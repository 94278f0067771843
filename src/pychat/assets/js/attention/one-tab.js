/**
 * Several tabs hear of the same message. One of them tells of it, and none if the user looks at one of them: that tab says
 * so first.
 */

/** Milliseconds that a tab which nobody looks at leaves to the others. */
const GRACE = 250;
/** Milliseconds in which a room is told of once. */
const QUIET = 3000;

/**
 * @param {Storage} storage that the tabs share
 * @param {string} key
 * @returns {(room: string, looked: boolean) => Promise<boolean>} whether this tab tells of what came in a room
 */
export function oneTab(storage, key) {
  const told = () => {
    try {
      return JSON.parse(storage.getItem(key)) ?? {};
    } catch {
      return {};
    }
  };

  function take(room) {
    const [all, now] = [told(), Date.now()];
    if (now - (all[room] ?? 0) < QUIET) return false;
    const recent = Object.entries(all).filter(([, at]) => now - at < QUIET);
    storage.setItem(key, JSON.stringify({ ...Object.fromEntries(recent), [room]: now }));
    return true;
  }

  return async (room, looked) => {
    if (looked) {
      take(room);
      return false;
    }
    await new Promise((resolve) => setTimeout(resolve, GRACE));
    // Pages without https have no locks; there a second tab may be as fast.
    const locks = globalThis.navigator?.locks;
    return locks ? locks.request(key, () => take(room)) : take(room);
  };
}
