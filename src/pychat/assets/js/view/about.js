/** What the room is about, in the header: its topic below its title, and a button by which moderators change both. */

import { showTitle } from "./heading.js";
import { write } from "./template-refs.js";

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {ReturnType<typeof import("./moderators.js").moderators>} moderators
 */
export function about(room, refs, moderators) {
  const topic = refs.find("topic", "p");
  const edit = refs.find("about-edit", "button");

  function show() {
    topic.hidden = !room.topic;
    write(topic, room.topic);
    topic.title = room.topic;
    edit.hidden = !room.moderates || room.state.name === "refused";
  }

  edit.addEventListener("click", () => moderators.edit());
  for (const event of ["welcome", "room", "access", "state"]) room.on(event, show);
  room.on("room", () => showTitle(refs, room.about.title));
  show();
}
