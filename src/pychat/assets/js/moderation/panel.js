/** The panel of moderators, a sheet with four parts: what waits, who is kept out, the settings, and the log. */

import { closeOutside } from "../dialogs/ask.js";
import { dialogOpener } from "../view/dialog-position.js";
import { icon, make } from "../view/elements.js";
import { write } from "../view/template-refs.js";
import { number, refusalText, t } from "../words.js";
import { AuditLog } from "./audit-log.js";
import { overview } from "./overview.js";
import { Sanctions } from "./sanctions.js";
import { Queue } from "./queue.js";
import { Settings } from "./settings.js";

/** Milliseconds between two looks at what other moderators did. */
const LOOK_INTERVAL = 15_000;

let count = 0;

/**
 * @typedef {object} Context what the parts of the panel share
 * @property {import("../room.js").Room} room
 * @property {import("../view/template-refs.js").TemplateRefs} refs
 * @property {(action: object) => Promise<object>} act does something and looks again @throws {import("../refusal.js").Refusal}
 * @property {(promise: Promise<unknown>) => Promise<boolean>} attempt shows a refusal
 * @property {(seq: number) => void} reveal closes the panel and scrolls to a message
 * @property {(member: import("../log.js").Member, at: HTMLElement) => void} showPerson
 */

export class Panel {
  #room;
  #refs;
  #dialog;
  #error = make("p", { class: "error", role: "alert", hidden: true });
  #tabs;
  #chosen;
  #open;
  #looking = false;
  #again = false;
  /** @type {ReturnType<typeof overview> | null} */
  #state = null;

  /**
   * @param {import("../room.js").Room} room @param {import("../view/template-refs.js").TemplateRefs} refs
   * @param {{reveal(seq: number): Promise<boolean>, showPerson(member: object, at: HTMLElement): void}} ways
   */
  constructor(room, refs, { reveal, showPerson }) {
    this.#room = room;
    this.#refs = refs;
    const context = {
      room,
      refs,
      showPerson,
      act: (action) => this.#act(action),
      attempt: (promise) => this.#attempt(promise),
      reveal: (seq) => {
        this.#dialog.close();
        reveal(seq).catch(() => {});
      },
    };
    const id = `pychat-order-${(count += 1)}`;
    const parts = [
      { label: t("moderation.queue"), part: new Queue(context) },
      { label: t("moderation.people"), part: new Sanctions(context) },
      { label: t("moderation.settings"), part: new Settings(context) },
      { label: t("moderation.log"), part: new AuditLog(context) },
    ];
    this.#tabs = parts.map(({ label, part }, at) => {
      const badge = make("span", { class: "badge mentions", hidden: true });
      const tab = make("button", { class: "tab", type: "button", role: "tab", id: `${id}-tab-${at}`, "aria-controls": `${id}-part-${at}`, click: () => this.#choose(at) }, label, " ", badge);
      const body = make("div", { class: "order-part", role: "tabpanel", id: `${id}-part-${at}`, "aria-labelledby": tab.id, tabindex: "-1" }, part.element);
      return { tab, badge, body, part };
    });
    const list = make("div", { class: "tabs", role: "tablist", "aria-label": t("moderation.title"), keydown: (event) => this.#step(event) }, ...this.#tabs.map(({ tab }) => tab));
    const close = make("button", { class: "tool close", type: "button", "aria-label": t("common.close"), click: () => this.#dialog.close() }, icon("m5 5 10 10M15 5 5 15"));
    const head = make("div", { class: "panel-head" }, make("h2", { class: "side-title", id }, t("moderation.title")), close);
    this.#dialog = make("dialog", { class: "sheet order-sheet", part: "dialog", "aria-labelledby": id }, head, list, this.#error, ...this.#tabs.map(({ body }) => body));
    closeOutside(this.#dialog);
    refs.frame.append(this.#dialog);
    this.#open = dialogOpener(this.#dialog, refs);
    this.#choose(0);
    for (const event of ["queue", "room"]) room.on(event, () => this.#look());
    room.on("access", () => room.moderates || this.#dialog.close());
    refs.every(LOOK_INTERVAL, () => this.#look());
  }

  open() {
    const { reports = 0, held = 0, asking = 0 } = this.#room.queue ?? {};
    if (reports + held + asking) this.#choose(0);
    this.#open();
    this.#look();
  }

  #choose(at) {
    this.#chosen = at;
    this.#tabs.forEach(({ tab, body }, each) => {
      tab.setAttribute("aria-selected", String(each === at));
      tab.tabIndex = each === at ? 0 : -1;
      body.hidden = each !== at;
    });
    this.#say("");
    if (this.#dialog.open) this.#look();
  }

  #step(event) {
    const last = this.#tabs.length - 1;
    const forward = getComputedStyle(this.#dialog).direction === "rtl" ? -1 : 1;
    const to = { ArrowRight: this.#chosen + forward, ArrowLeft: this.#chosen - forward, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.#choose((to + last + 1) % (last + 1));
    this.#tabs[this.#chosen].tab.focus();
  }

  async #act(action) {
    const answer = await this.#room.moderate(action);
    await this.#look();
    return answer;
  }

  async #attempt(promise) {
    this.#say("");
    try {
      await promise;
      return true;
    } catch (refusal) {
      this.#say(refusalText(refusal));
      return false;
    }
  }

  /** Asks the server how things stand, if the panel is open. One question at a time. */
  async #look() {
    if (!this.#dialog.open) return;
    this.#again = this.#looking;
    if (this.#looking) return;
    this.#looking = true;
    try {
      const names = new Map(this.#room.people.members.map(({ id, name }) => [id, name]));
      this.#state = overview(await this.#room.moderation(), (member) => names.get(member));
      this.#show();
    } catch (refusal) {
      this.#say(refusalText(refusal));
    } finally {
      this.#looking = false;
    }
    if (this.#again) await this.#look();
  }

  #show() {
    const focused = this.#refs.active;
    for (const { part, badge } of this.#tabs) {
      const waiting = part.show(this.#state) ?? 0;
      badge.hidden = !waiting;
      write(badge, waiting ? number(waiting) : "");
    }
    this.#tabs[this.#chosen].part.opened?.();
    // What was focused may be done with: the list is a better place than the page behind.
    if (focused && !focused.isConnected && !this.#refs.active) this.#tabs[this.#chosen].body.focus();
  }

  #say(text) {
    write(this.#error, text);
    this.#error.hidden = !text;
  }
}
