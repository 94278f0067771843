/** The list of rooms: beside the conversation if there is space, else in a sheet behind a button. */

import { hue, initials } from "../colour.js";
import { titleOf } from "../room-list.js";
import { sideSheet } from "../view/side-sheet.js";
import { write } from "../view/template-refs.js";
import { locale, number, t } from "../words.js";

/** Rooms from which on there is a field to find one. */
const MANY = 12;
const MAX_COUNT = 99;

/**
 * @param {import("../chat.js").Chat} chat
 * @param {import("../view/template-refs.js").TemplateRefs} refs of the whole page
 * @param {object} options
 * @param {import("./address.js").Addresses} options.addresses
 * @param {import("./panes.js").Panes} options.panes
 * @param {(name: string) => void} options.enter shows the room of that name
 */
export function rooms(chat, refs, { addresses, panes, enter }) {
  const nav = refs.find("rooms", "nav");
  const filter = refs.find("rooms-filter", "input");
  const none = refs.find("rooms-none");
  const more = refs.find("rooms-more", "button");
  const directPart = refs.find("direct");
  const lists = { rooms: refs.find("room-list", "ul"), direct: refs.find("direct-list", "ul") };
  const names = new Intl.Collator(locale(), { sensitivity: "base", numeric: true });
  const place = sideSheet(refs, { inner: refs.find("rooms-panel"), side: nav, sheet: refs.find("rooms-dialog", "dialog"), close: refs.find("rooms-close", "button") });
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();
  const template = document.querySelector("[data-template='room-link']");

  // The server made the first rows.
  const first = [...refs.find("room-list", "ul").querySelectorAll("a[data-name]")];
  chat.list.begin(first.map(({ dataset, textContent }) => ({ name: dataset.name, title: textContent.trim() })));

  function sorted() {
    return chat.list.rooms.map((one) => ({ ...one, label: titleOf(one, chat.id) })).sort((a, b) => names.compare(a.label, b.label));
  }

  function show() {
    if (!chat.list.known || !template) return;
    const all = sorted();
    const several = all.length > 1 || (all.length === 1 && all[0].name !== panes.current?.name);
    if (nav.hidden === several) {
      nav.hidden = !several;
      place.settle();
    }
    filter.hidden = all.length < MANY && !chat.list.hasMore;
    more.hidden = !chat.list.hasMore || !!filter.value;
    const words = filter.value.trim().toLocaleLowerCase();
    const wanted = filter.hidden || !words ? all : all.filter(({ label }) => label.toLocaleLowerCase().includes(words));
    const direct = wanted.filter((one) => one.direct);
    draw(lists.rooms, wanted.filter((one) => !one.direct));
    draw(lists.direct, direct);
    directPart.hidden = !direct.length;
    none.hidden = wanted.length > 0;
    write(none, wanted.length ? "" : t("rooms.none"));
    for (const [name, row] of rows) if (!all.some((one) => one.name === name)) rows.delete(name), row.remove();
    for (const pane of panes.all) showButton(pane.refs, several, all);
  }

  /** The button that opens the list is in the header of each room. */
  function showButton(paneRefs, several, all) {
    const button = paneRefs.find("rooms-button", "button");
    const badge = paneRefs.find("rooms-badge");
    const unread = all.filter(({ name, messages }) => name !== panes.current?.name && messages > 0);
    const total = unread.reduce((sum, { messages }) => sum + messages, 0);
    button.hidden = !several;
    badge.hidden = total === 0;
    badge.classList.toggle("mentions", unread.some(({ mentions, direct }) => mentions > 0 || direct));
    write(badge, short(total));
    button.setAttribute("aria-label", total ? t("rooms.unread", { count: total }) : t("rooms.title"));
  }

  function draw(list, wanted) {
    const elements = wanted.map(row);
    for (const child of [...list.children]) if (!elements.includes(child)) child.remove();
    elements.forEach((element, at) => list.children[at] === element || list.insertBefore(element, list.children[at] ?? null));
  }

  function row({ name, label, messages, mentions, direct }) {
    let made = rows.get(name);
    if (!made) {
      made = document.importNode(template.content.firstElementChild, true);
      made.firstElementChild.href = addresses.of(name);
      made.firstElementChild.dataset.name = name;
      rows.set(name, made);
    }
    const link = made.firstElementChild;
    const current = name === panes.current?.name;
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    link.classList.toggle("unread", messages > 0 && !current);
    const avatar = link.querySelector(".avatar");
    avatar.hidden = !direct;
    if (direct) {
      const other = direct.find(({ id }) => id !== chat.id) ?? direct[0];
      avatar.style.setProperty("--hue", hue(other?.id ?? name));
      write(avatar, initials(label));
    }
    write(link.querySelector(".room-name"), label);
    link.title = label;
    // Each message of a direct room is for the user.
    const toMe = direct ? messages : mentions;
    const [toMeBadge, badge] = link.querySelectorAll(".badge");
    toMeBadge.hidden = current || !toMe;
    write(toMeBadge, direct ? short(toMe) : `@${toMe > 1 ? short(toMe) : ""}`);
    badge.hidden = current || !!direct || !messages;
    write(badge, short(messages));
    write(link.querySelector(".room-unread"), current || !messages ? "" : `, ${unreadWords(messages, direct ? 0 : mentions)}`);
    return made;
  }

  function choose(link) {
    place.close();
    enter(link.dataset.name ?? addresses.room(link.href));
  }

  refs.find("rooms-panel").addEventListener("click", (event) => {
    const link = event.target.closest("a.room-link");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    choose(link);
  });
  refs.find("rooms-panel").addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const stops = [filter, ...refs.find("rooms-panel").querySelectorAll("a.room-link")].filter((one) => !one.hidden);
    const at = stops.indexOf(document.activeElement);
    if (!step || at < 0) return;
    event.preventDefault();
    stops[Math.min(stops.length - 1, Math.max(0, at + step))].focus();
  });
  filter.addEventListener("input", show);
  filter.addEventListener("keydown", (event) => {
    const first = refs.find("rooms-panel").querySelector("a.room-link");
    if (event.key === "Enter" && filter.value.trim() && first) choose(first);
    if (event.key === "Escape" && filter.value) {
      event.preventDefault();
      filter.value = "";
      show();
    }
  });
  more.addEventListener("click", () => chat.list.more());
  chat.on("rooms", show);

  function open() {
    if (place.visible) refs.find("rooms-panel").querySelector("a.room-link")?.focus();
    else place.open();
  }

  return { show, open, sorted };
}

function short(count) {
  return count > MAX_COUNT ? `${number(MAX_COUNT)}+` : number(count);
}

function unreadWords(messages, mentions) {
  const unread = t("unread.messages", { count: messages });
  return mentions ? `${unread}, ${t("unread.mentions", { count: mentions })}` : unread;
}
