/** Badges for the roles that the application gave somebody: texts, beside their name. */

/**
 * @param {Element} name what they stand behind
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
  const told = JSON.stringify(roles);
  if (badges.dataset.roles === told) return;
  badges.dataset.roles = told;
  badges.replaceChildren(...roles.map((role) => badge(role, refs)));
}

function badge(role, refs) {
  const made = refs.copy("role");
  made.textContent = role;
  made.title = role;
  return made;
}
