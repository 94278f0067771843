/** Several tabs hear of the same message. One of them tells of it, and none if the user looks at one of them. */

/** Milliseconds in which a room is told of once. */
const QUIET = 3000;
/** Milliseconds that a tab which nobody looks at leaves to the others, where there are no locks. */
const GRACE = 250;

/**
 * @param {object} options
 * @param {string} options.key that the tabs share
 * @param {() => boolean} options.isLooked whether the user looks at this tab; `check` is to be called when it changes
 * @param {Storage} options.storage that the tabs share
 * @param {LockManager} [options.locks] pages without https have none: there, two tabs may tell at once if both are as fast
 * @returns {{isMine(room: string): Promise<boolean>, check(): void}} whether this tab tells of what came in a room
 */
export function oneTab({ key, isLooked, storage, locks }) {
  return locks ? withLocks(key, isLooked, locks) : withStorage(key, isLooked, storage);
}

/** The tab that was first holds a lock as long as it lives, and a tab that is looked at holds another one. */
function withLocks(key, isLooked, locks) {
  const lookedKey = `${key}:looked`;
  const told = new Map();
  let speaks = false;
  let release = null;

  function check() {
    if (isLooked() && !release) locks.request(lookedKey, { mode: "shared" }, () => new Promise((resolve) => (isLooked() ? (release = resolve) : resolve())));
    else if (!isLooked() && release) {
      release();
      release = null;
    }
  }

  locks.request(key, () => {
    speaks = true;
    return new Promise(() => {});
  });
  check();

  return {
    check,
    async isMine(room) {
      if (!speaks || isLooked() || Date.now() - (told.get(room) ?? 0) < QUIET) return false;
      told.set(room, Date.now());
      const { held } = await locks.query();
      return !held.some(({ name }) => name === lookedKey);
    },
  };
}

/** The tab that writes first tells; one that is looked at writes at once. */
function withStorage(key, isLooked, storage) {
  function take(room) {
    const name = `${key}:${room}`;
    if (Date.now() - Number(storage.getItem(name)) < QUIET) return false;
    storage.setItem(name, String(Date.now()));
    return true;
  }

  return {
    check() {},
    async isMine(room) {
      if (isLooked()) {
        take(room);
        return false;
      }
      await new Promise((resolve) => setTimeout(resolve, GRACE));
      return take(room);
    },
  };
}
