/** One room in sight: all its views, put together. The page and the element are this, with something around it. */

import { composer } from "./composer.js";
import { deeds } from "./deeds.js";
import { messages } from "./messages.js";
import { naming } from "./naming.js";
import { panel } from "./panel.js";
import { Scroll } from "./scroll.js";
import { search } from "./search.js";
import { status } from "./status.js";

/** @param {import("../room.js").Room} room @param {import("./parts.js").Parts} parts where its pieces are */
export function view(room, parts) {
  status(room, parts);
  panel(room, parts);
  const box = composer(room, parts);
  const { reveal, entryOf } = messages(room, parts, new Scroll(parts));
  deeds(room, parts, { entryOf, composer: box });
  search(room, parts, reveal);
  naming(room, parts, box);
}
