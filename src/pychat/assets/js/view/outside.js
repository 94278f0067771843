/** What a user does who is outside of the room: the forms that may let them in, loaded when they are needed. */

import { withWords } from "../words.js";

/** Codes of a refusal that a password, an invitation, a moderator or a check can end. */
const HAS_FORMS = new Set(["entry_required", "challenge_required"]);

/** @param {import("../room.js").Room} room @param {import("./template-refs.js").TemplateRefs} refs @param {import("../entrance.js").Entrance} entrance */
export function outside(room, refs, entrance) {
  const place = refs.find("entry");
  let shown = null;

  room.on("state", async (state) => {
    if (state.name === "live") shown?.close(true);
    if (state.name === "live") shown = null;
    if (state.name !== "refused") return;
    const wanted = HAS_FORMS.has(state.code) ? state : null;
    place.hidden = !wanted;
    if (!wanted) return;
    const { forms } = await withWords(import("../entry/forms.js"));
    if (room.state !== state) return;
    shown ??= forms(room, refs, { entrance, place });
    shown.show(state);
  });
}
