/** Badges beside a name for the roles that the application gave the member. */

import { has, t } from "../words.js";

/** The name of a role on a badge; roles of the application's own are named by it. @param {string} role @returns {string} */
export const badgeName = (role) => (has(`badge.${role}`) ? t(`badge.${role}`) : role);

/**
 * @param {Element} name the element before the badges
 * @param {readonly string[]} roles
 * @param {import("./template-refs.js").TemplateRefs} refs
 */
export function fillRoles(name, roles, refs) {
  let badges = name.nextElementSibling?.matches(".roles") ? name.nextElementSibling : null;
  if (!roles.length) return badges?.remove();
  if (!badges) {
    badges = document.createElement("span");
    badges.className = "roles";
    name.after(badges);
  }
  const key = JSON.stringify(roles);
  if (badges.dataset.roles === key) return;
  badges.dataset.roles = key;
  badges.replaceChildren(...roles.map((role) => badge(role, refs)));
}

function badge(role, refs) {
  const made = refs.copy("role");
  made.textContent = made.title = badgeName(role);
  return made;
}
