/** The chat page: shows one room of the user after the other, and the list of them, on one connection. */

import { openChat } from "../client.js";
import { later } from "../later.js";
import { browserStorage } from "../storage.js";
import { readWords } from "../view/read-words.js";
import { TemplateRefs } from "../view/template-refs.js";
import { appearance } from "../view/appearance.js";
import { question, toast } from "../view/toast.js";
import { LAST_NAME } from "../view/nickname-form.js";
import { refusalText, t } from "../words.js";
import { Addresses } from "./address.js";
import { nowhere } from "./nowhere.js";
import { keptMessages, worker } from "./offline.js";
import { openDirect } from "./opening.js";
import { Panes } from "./panes.js";
import { rooms } from "./rooms.js";
import { theme } from "./theme.js";
import { takeTicket, useTicket } from "./ticket.js";
import { title } from "./title.js";
import { fitWindow } from "./window.js";

const { base: path, home, offline, push, title: firstTitle } = document.querySelector("[data-pychat]").dataset;
const base = new URL(path, location.href);
readWords(document, base);
const storage = browserStorage();
/** The room that was shown last, for those who come to a site without a first room. */
const lastKey = `pychat:${base.href}:last-room`;

document.querySelector(".skips")?.addEventListener("click", (event) => {
  event.preventDefault();
  skipTo(event.target.dataset.skip);
});

// Another room has another address, which would change what relative ones mean.
for (const link of document.querySelectorAll("a[href], link[rel~='icon'], link[rel='apple-touch-icon'], link[rel='manifest']")) link.setAttribute("href", link.href);

const refs = new TemplateRefs(document.querySelector("[data-pychat]"), { key: base.pathname, wholePage: true });
const addresses = new Addresses(base, home);
// Before the connection: the answer may say who the user is.
const refusedTicket = await useTicket({ base, room: addresses.room(location.href), storage, key: `pychat:${base.href}:person` });
const chat = openChat({ url: base });
const panes = new Panes(refs.find("app"), { chat, base, addresses, write, firstTitle });
const showTheme = theme();
const keyOf = (name) => new URL(addresses.of(name)).pathname;
const showTitle = title(chat, panes, firstTitle, keyOf);
/** Tells of messages in a room while nobody looks: for people with a name. */
const attend = later(async () => {
  const { attention } = await import("../attention/attention.js");
  const attending = attention(chat, { storage, base, keyOf, enter, ask });
  for (const { name, room } of panes.all) attending(name, room);
  return attending;
});
if (storage.getItem(LAST_NAME)) attend().catch(() => {});
if (push !== undefined) import("../attention/push-switch.js").then(({ usePush }) => usePush({ base, home, chat }), () => {});
const list = rooms(chat, refs, { addresses, panes, enter });
const emptyPage = nowhere(chat, refs);
const opened = keptMessages(chat, panes, { storage, key: `pychat:${base.href}:kept`, on: offline === "messages", away, recalled: showTitle });
fitWindow();
appearance(refs.root);

/** Focuses a part of the room that is shown; without a message box, the field for the name. @param {string} part */
function skipTo(part) {
  const parts = [part, "name-input", "scroll"].map((name) => panes.current?.refs.find(name));
  parts.find((one) => one?.isConnected && one.checkVisibility())?.focus();
}

/** Shows a room, and gives it its address. @param {string} name @param {import("../view/composer.js").Words} [words] that were written for it already */
function enter(name, words) {
  if (name !== panes.current?.name) history.pushState(null, "", addresses.of(name));
  show(name);
  if (words) panes.current.take(words);
}

/** Opens the direct room with a person, and sends them a text if there is one. */
function write(member, text) {
  openDirect(member, text, { chat, panes, enter, openList: () => list.open() });
}

function show(name) {
  emptyPage.hide();
  const known = panes.all.some((pane) => pane.name === name);
  const pane = panes.show(name);
  storage.setItem(lastKey, name);
  if (!known) {
    for (const event of ["message", "read", "welcome", "room"]) pane.room.on(event, showTitle);
    pane.room.on("state", () => showWayOut(pane));
    if (attend.loaded) attend.loaded(name, pane.room);
    else pane.room.on("me", () => attend().catch(() => {}));
    pane.refs.find("rooms-button", "button").addEventListener("click", () => list.open());
  }
  showTheme();
  showTitle();
  list.show();
  showWayOut(pane);
  opened();
}

/** The user missed something while they were away. */
function ask({ yes, no }) {
  if (panes.current) question(panes.current.refs, t("notification.ask"), { [t("notification.yes")]: yes, [t("notification.no")]: no });
}

/** Leads out of a room that cannot be entered: to the first room of the chat, to another one, or to the list. */
function showWayOut(pane) {
  const button = pane.refs.find("barred-button", "button");
  const others = list.sorted().filter(({ name }) => name !== pane.name);
  const first = addresses.home || chat.list.firstListed;
  const other = others.find(({ name }) => name === first) ?? others.find(({ direct }) => !direct);
  button.hidden = !others.length;
  button.textContent = other ? t("barred.go-to", { room: other.label }) : t("barred.rooms");
  button.onclick = () => (other ? enter(other.name) : list.open());
}

/** The room of the address; without one, the last or the first of the user's rooms, once they are known. */
function arrive() {
  const name = addresses.room(location.href);
  if (name) return show(name);
  if (!chat.list.known || panes.current) return;
  const mine = list.sorted();
  const next = mine.find((one) => one.name === storage.getItem(lastKey)) ?? mine[0];
  if (!next) return emptyPage.show();
  history.replaceState(null, "", addresses.of(next.name));
  show(next.name);
}

/** The server cannot be reached: the room that was shown last can be read. @param {string[]} names of the rooms that can */
function away(names) {
  const last = storage.getItem(lastKey);
  if (panes.current || !names.includes(last)) return;
  history.replaceState(null, "", addresses.of(last));
  show(last);
}

/** A link with an invitation was opened in this very tab. */
async function onFragment() {
  const ticket = takeTicket();
  if (!ticket || !panes.current) return;
  const { entrance, room, refs: here } = panes.current;
  try {
    await entrance.enter(ticket);
    if (room.state.name === "refused") room.reconnect();
  } catch (refusal) {
    toast(here, refusalText(refusal));
  }
}

addEventListener("popstate", arrive);
addEventListener("hashchange", onFragment);
chat.on("rooms", () => {
  for (const pane of panes.all) pane.showTitle();
  if (panes.current) showWayOut(panes.current);
  else arrive();
});
arrive();
if (refusedTicket && panes.current) toast(panes.current.refs, refusedTicket);
// When all else is done: whoever comes for the first time needs none of it.
(globalThis.requestIdleCallback ?? setTimeout)(() => worker(base, offline === "messages" || offline === "page"));
