/** What can be done about a person: write to them alone, mention them, block them; moderators can also keep order. */

import { initials } from "../colour.js";
import { refusalText, t } from "../words.js";
import { icon, make } from "./elements.js";
import { menu } from "./menu.js";
import { fillRoles } from "./roles.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {object} options
 * @param {{chat: import("../chat.js").Chat, write(member: import("../log.js").Member): void}} [options.rooms] of the user, if the view can show another one
 * @param {{insert(name: string): void}} options.mentions
 * @param {ReturnType<typeof import("./moderators.js").moderators>} options.moderators
 * @returns {(member: import("../log.js").Member, at: HTMLElement) => void} opens the menu beside an element
 */
export function personMenu(room, refs, { rooms, mentions, moderators }) {
  const dialog = refs.find("person-menu", "dialog");
  const { open, close } = menu(dialog, refs);
  const [direct, mention, block] = ["direct", "mention", "block"].map((name) => refs.find(`person-${name}`, "button"));
  const order = refs.find("person-order");
  const error = refs.find("person-error");
  let member = { id: "", name: "" };

  const blocks = () => room.blocks(member.id);

  function show() {
    const blocked = blocks();
    const avatar = refs.find("person-avatar");
    avatar.style.setProperty("--hue", room.people.hueOf(member.id));
    write(avatar, initials(member.name));
    write(refs.find("person-name"), member.name);
    fillRoles(refs.find("person-head", "p"), room.people.rolesOf(member.id), refs);
    // What an application posts has no person behind it.
    const isPerson = !member.id.startsWith("post:");
    direct.hidden = !rooms || blocked || !isPerson;
    block.hidden = !rooms || !isPerson;
    mention.hidden = blocked || !room.me || !room.may("write");
    write(refs.find("person-block-text"), blocked ? t("person.unblock") : t("person.block"));
    write(refs.find("person-hint"), blocked ? t("person.blocked-hint") : "");
    const actions = moderators.actionsFor(member);
    order.replaceChildren(...actions.map(item));
    order.hidden = !actions.length;
    error.hidden = true;
  }

  function item({ label, path, danger, run }) {
    const start = () => {
      close();
      run();
    };
    return make("button", { class: danger ? "menu-item danger" : "menu-item", type: "button", click: start }, icon(path), label);
  }

  async function attempt(action) {
    try {
      await action();
      close();
    } catch (refusal) {
      write(error, refusalText(refusal));
      error.hidden = false;
    }
  }

  /** Closes all that stands before the message box. */
  function leave() {
    close();
    refs.find("people-dialog", "dialog").close?.();
  }

  direct.addEventListener("click", () => {
    leave();
    rooms.write(member);
  });
  block.addEventListener("click", () => attempt(() => rooms.chat.block(member.id, !blocks())));
  mention.addEventListener("click", () => {
    leave();
    mentions.insert(member.name);
  });

  return (whom, at) => {
    member = whom;
    show();
    open(at);
  };
}
