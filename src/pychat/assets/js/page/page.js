/** The chat page: opens its room, creates the view, and adds what the element does not have. */

import { connect } from "../client.js";
import { TemplateRefs } from "../view/template-refs.js";
import { view } from "../view/view.js";
import { share } from "./share.js";
import { theme } from "./theme.js";
import { title } from "./title.js";
import { fitWindow } from "./window.js";

const { room: name, base } = document.querySelector("[data-pychat]").dataset;
const room = connect({ url: new URL(base, location.href), room: name });
const refs = new TemplateRefs(document, { key: location.pathname });

theme(refs);
fitWindow();
title(room);
share(room, refs);
view(room, refs);
