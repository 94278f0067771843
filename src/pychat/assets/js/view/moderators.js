/** What moderators have: a button with the number of things that wait for them, and their tools, loaded for them alone. */

import { number, t, withWords } from "../words.js";
import { write } from "./template-refs.js";
import { toast } from "./toast.js";

const MAX_COUNT = 99;

/**
 * @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs
 * @param {{reveal(seq: number): Promise<boolean>, showPerson(member: object, at: HTMLElement): void}} ways to a message, and to the menu of a person
 */
export function moderators(room, refs, ways) {
  const button = refs.find("moderation-button", "button");
  const badge = refs.find("moderation-badge");
  /** @type {ReturnType<typeof import("../moderation/tools.js").tools> | null} */
  let tools = null;
  let loading = null;

  const moderates = () => room.moderates && room.state.name !== "refused";

  function show() {
    button.hidden = !moderates();
    if (button.hidden) return;
    load();
    const { reports = 0, held = 0, asking = 0 } = room.queue ?? {};
    const total = reports + held + asking;
    badge.hidden = !total;
    write(badge, total > MAX_COUNT ? `${number(MAX_COUNT)}+` : number(total));
    button.setAttribute("aria-label", total ? t("moderation.waiting", { count: total }) : t("moderation.title"));
  }

  function load() {
    loading ??= withWords(import("../moderation/tools.js")).then(
      (module) => (tools = module.tools(room, refs, ways)),
      () => (loading = null), // The next change of the room tries again.
    );
    return loading;
  }

  button.addEventListener("click", async () => {
    await load();
    if (tools) tools.openPanel();
    // A page that is older than the server asks for scripts that are gone.
    else toast(refs, t("page.not-loaded"));
  });
  for (const event of ["welcome", "access", "queue", "me", "state"]) room.on(event, show);
  show();

  return {
    /** What a moderator can do about a member. @param {import("../log.js").Member} member */
    actionsFor: (member) => (moderates() && tools ? tools.actionsFor(member) : []),
    /** Pins a message, or ends it. @param {number} seq @param {boolean} on */
    pin: (seq, on) => room.moderate({ action: on ? "pin" : "unpin", target: seq }),
    edit: async () => {
      await load();
      tools?.editAbout();
    },
  };
}
