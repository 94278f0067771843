/** What can be done about a person: send them a message that nobody else sees, mention them, block them. */

import { hue, initials } from "../colour.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {import("../chat.js").Chat} options.chat
 * @param {(name: string) => void} options.enter shows the room of that name
 * @param {{insert(name: string): void}} options.mentions
 * @returns {(member: import("../log.js").Member, at: HTMLElement) => void} opens the menu beside an element
 */
export function personMenu(room, refs, { chat, enter, mentions }) {
  const menu = refs.find("person-menu", "dialog");
  const [direct, mention, block] = ["direct", "mention", "block"].map((name) => refs.find(`person-${name}`, "button"));
  const error = refs.find("person-error");
  let member = { id: "", name: "" };

  const blocks = () => chat.blocked.has(member.id);

  function show() {
    const blocked = blocks();
    const avatar = refs.find("person-avatar");
    avatar.style.setProperty("--hue", hue(member.id));
    write(avatar, initials(member.name));
    write(refs.find("person-name"), member.name);
    // What an application posts has no person behind it.
    const isPerson = !member.id.startsWith("post:");
    direct.hidden = blocked || !isPerson;
    block.hidden = !isPerson;
    mention.hidden = blocked || !room.me || !room.may("write");
    write(refs.find("person-block-text"), blocked ? "Unblock" : "Block");
    write(refs.find("person-hint"), blocked ? "You do not see their messages, and they cannot write to you directly." : "");
    error.hidden = true;
  }

  function place(at) {
    const from = at.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    const clamp = (value, most) => Math.max(8, Math.min(value, most - 8));
    const beside = from.left > innerWidth / 2 ? from.right - width : from.left;
    menu.style.setProperty("left", `${clamp(beside, innerWidth - width)}px`);
    menu.style.setProperty("top", `${clamp(from.bottom + 6, innerHeight - height)}px`);
  }

  async function attempt(action) {
    try {
      await action();
      menu.close();
    } catch ({ text }) {
      write(error, text);
      error.hidden = false;
    }
  }

  direct.addEventListener("click", () => attempt(async () => enter(await chat.direct(member.id))));
  block.addEventListener("click", () => attempt(() => chat.block(member.id, !blocks())));
  mention.addEventListener("click", () => {
    menu.close();
    refs.find("people-dialog", "dialog").close?.();
    mentions.insert(member.name);
  });
  menu.addEventListener("click", ({ target }) => target === menu && menu.close());
  menu.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [direct, mention, block].filter((button) => !button.hidden);
    stops[(stops.indexOf(refs.active) + step + stops.length) % stops.length].focus();
  });

  return (whom, at) => {
    member = whom;
    show();
    menu.showModal();
    place(at);
  };
}
