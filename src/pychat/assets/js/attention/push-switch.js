/** Push messages of this page: for whom they are, and which rooms are silent. */

import { preferences } from "../preferences.js";

/** Milliseconds after which a connection is likely to be in its rooms: guests can subscribe only there. */
const RENEW_AFTER = 10_000;

let page;

/**
 * Lets the settings switch push messages, and renews them on each visit.
 * @param {object} options
 * @param {URL} options.base of the mount @param {string} options.home the name of its first room
 * @param {import("../chat.js").Chat} options.chat
 */
export function usePush({ base, home, chat }) {
  const chosen = preferences();
  let timer;
  let told = "";

  /** The names of the silent rooms. The preferences have their addresses, for all chats of a site. */
  function muted() {
    const below = `${base.pathname}rooms/`;
    return Object.keys(chosen.get("muted")).flatMap((key) => (key === base.pathname ? home || [] : key.startsWith(below) ? decodeURIComponent(key.slice(below.length)) : []));
  }

  // A login needs no token: its member id is another one than that of the guest before.
  const token = () => (chat.id?.startsWith("user:") ? undefined : chat.token);
  const load = async () => new (await import("../push.js")).Push({ base, token });

  function renewSoon() {
    clearTimeout(timer);
    if (chosen.get("push")) timer = setTimeout(() => renew().catch(() => {}), RENEW_AFTER);
  }

  async function renew() {
    const now = JSON.stringify([chat.id, muted()]);
    const push = await load();
    if (now === told || (await push.state()) !== "on") return;
    await push.subscribe(muted());
    told = now;
  }

  chat.on("state", ({ name }) => name === "live" && renewSoon());
  chosen.on("change", (key) => key === "muted" && renewSoon());
  page = {
    state: async () => (await load()).state(),
    async set(on) {
      const push = await load();
      if (on) await push.subscribe(muted());
      else await push.unsubscribe();
      chosen.set("push", on);
    },
  };
}

/** What switches push messages, on the page of a chat. @returns {{state(): Promise<string>, set(on: boolean): Promise<void>} | undefined} */
export const pushSwitch = () => page;
