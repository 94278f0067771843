/** Badges beside a name for the roles that the application gave the member. */

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
  made.textContent = role;
  made.title = role;
  return made;
}
