/** The tools of moderators: actions on a person, the panel, and the room's title and topic. */

import { ask } from "../dialogs/ask.js";
import { textField } from "../dialogs/fields.js";
import { Panel } from "./panel.js";
import { t } from "../words.js";
import { personActions } from "./person-actions.js";

/**
 * @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs
 * @param {{reveal(seq: number): Promise<boolean>, showPerson(member: object, at: HTMLElement): void}} ways to a message, and to the menu of a person
 */
export function tools(room, refs, ways) {
  let panel = null;
  return {
    actionsFor: (member) => personActions(room, refs, member),
    openPanel() {
      panel ??= new Panel(room, refs, ways);
      panel.open();
    },
    editAbout() {
      const title = textField(t("about.title"), { value: room.about?.title ?? "", maxlength: 100, required: true });
      const topic = textField(t("about.topic"), { value: room.topic, maxlength: 300 }, t("about.topic-hint"));
      ask(refs, {
        title: [t("about.title-and-topic")],
        fields: [title.element, topic.element],
        button: t("common.save"),
        async run() {
          const changed = { ...(title.value !== room.about?.title && { title: title.value }), ...(topic.value !== room.topic && { topic: topic.value }) };
          if (Object.keys(changed).length) await room.moderate({ action: "set", ...changed });
        },
      });
      title.input.select();
    },
  };
}
