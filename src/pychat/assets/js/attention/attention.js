/**
 * Tells of messages while nobody looks: notifications of the desktop and a soft sound, for mentions and direct messages
 * unless the user chose all or none. Asks for the permission when the user comes back and has missed something.
 */

import { preferences } from "../preferences.js";
import { titleOf } from "../room-list.js";
import { t } from "../words.js";
import { oneTab } from "./one-tab.js";

/** Characters of a message in a notification. */
const MAX_TEXT = 160;

/**
 * @param {import("../chat.js").Chat} chat
 * @param {object} page
 * @param {Storage} page.storage
 * @param {URL} page.base of the mount
 * @param {(name: string) => string} page.keyOf a room, in the preferences
 * @param {(name: string) => void} page.enter shows the room of that name
 * @param {(ask: {yes(): void, no(): void}) => void} page.ask asks whether the user wants notifications
 * @returns {(name: string, room: import("../room.js").Room) => void} listens to a room that was entered
 */
export function attention(chat, { storage, base, keyOf, enter, ask }) {
  const chosen = preferences();
  const canAsk = "Notification" in globalThis && globalThis.isSecureContext;
  /** What is unread in each room, as the server counts. @type {Map<string, {messages: number, mentions: number}> | null} */
  let counted = null;
  let missed = false;

  const isLooked = () => !document.hidden && document.hasFocus();
  const { isMine, check } = oneTab({ key: `pychat:${base.href}:told`, isLooked, storage, locks: navigator.locks });
  const titleFor = (name) => titleOf(chat.list.find(name) ?? { name }, chat.id);
  const isDirect = (name) => !!chat.list.find(name)?.direct;

  /** Something came. @param {string} name of the room @param {boolean} toMe @param {{author: string, text: string}} [message] if the page has it */
  async function came(name, toMe, message) {
    const all = chosen.get("notify") === "all";
    if ((!toMe && !all) || chosen.isMuted(keyOf(name))) return;
    if (toMe && !isLooked()) missed = true;
    if (!(await isMine(name)) || isLooked()) return;
    if (chosen.get("sound")) import("./sound.js").then(({ play }) => play(), () => {});
    if (chosen.get("notify") !== "off" && canAsk && Notification.permission === "granted") notify(name, message);
  }

  function notify(name, message) {
    const room = titleFor(name);
    const title = message && !isDirect(name) ? t("notification.title", { name: message.author, room }) : room;
    const text = message?.text ?? t("notification.new");
    try {
      const shown = new Notification(title, { body: text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text, tag: `${base.href}${name}`, icon: document.querySelector("link[rel~='icon']")?.href, silent: true });
      shown.addEventListener("click", () => {
        globalThis.focus();
        enter(name);
        shown.close();
      });
    } catch {
      // Chrome on Android has notifications of service workers alone.
    }
  }

  /** Rooms that were not entered: the server counts what is unread there. */
  function count() {
    const before = counted;
    counted = new Map(chat.list.rooms.map(({ name, messages, mentions }) => [name, { messages, mentions }]));
    if (!before) return;
    const entered = new Set(listening.keys());
    for (const [name, { messages, mentions }] of counted) {
      const was = before.get(name) ?? { messages: 0, mentions: 0 };
      if (messages > was.messages && !entered.has(name)) came(name, mentions > was.mentions || isDirect(name));
    }
  }

  /** The user came back, or left. */
  function turned() {
    check();
    if (!isLooked() || !missed) return;
    missed = false;
    if (!canAsk || Notification.permission !== "default" || chosen.isChosen("notify")) return;
    ask({
      yes: async () => chosen.set("notify", (await Notification.requestPermission()) === "granted" ? "mentions" : "off"),
      no: () => chosen.set("notify", "off"),
    });
  }

  /** @type {Map<string, import("../room.js").Room>} */
  const listening = new Map();
  chat.on("rooms", () => chat.list.known && count());
  for (const event of ["focus", "blur"]) addEventListener(event, turned);
  document.addEventListener("visibilitychange", turned);

  return (name, room) => {
    listening.set(name, room);
    room.on("message", ({ author, text, mentions, deleted }) => {
      // After a drop the room has what came meanwhile; what was read elsewhere is no news.
      if (author.id === room.me?.id || author.id === chat.id || chat.blocked.has(author.id) || deleted) return;
      came(name, isDirect(name) || !!mentions?.includes(chat.id), { author: author.name, text });
    });
    room.on("state", (state) => state.name === "closed" && listening.delete(name));
  };
}
