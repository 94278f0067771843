/** The chat page: opens its room and gives it to the views in `page/`. Only these files touch the document. */

import { connect } from "./client.js";
import { composer } from "./page/composer.js";
import { deeds } from "./page/deeds.js";
import { messages } from "./page/messages.js";
import { naming } from "./page/naming.js";
import { panel } from "./page/panel.js";
import { Scroll } from "./page/scroll.js";
import { search } from "./page/search.js";
import { share } from "./page/share.js";
import { status } from "./page/status.js";
import { theme } from "./page/theme.js";
import { title } from "./page/title.js";
import { fitWindow } from "./page/window.js";

const { room: name, base } = document.querySelector("[data-pychat]").dataset;
const room = connect({ url: new URL(base, location.href), room: name });

theme();
fitWindow();
status(room);
title(room);
share();
panel(room);
const box = composer(room);
const { reveal, entryOf } = messages(room, new Scroll());
deeds(room, { entryOf, composer: box });
search(room, reveal);
naming(room, box);
