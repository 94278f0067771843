/**
 * Notices which messages the user has really seen: their window has the focus, and the message is in its visible part.
 * Says where the line “New messages” stands.
 */

/**
 * @param {import("../room.js").Room} room
 * @param {import("./template-refs.js").TemplateRefs} refs
 * @param {import("./scroll.js").Scroll} scroll
 * @param {() => void} draw called when the line has to move
 */
export function reading(room, refs, scroll, draw) {
  const view = refs.find("scroll");
  const line = refs.copy("new-line");
  /** The messages after this number are below the line. @type {number | null} */
  let mark = null;
  let placed = false;
  let scheduled = false;
  /** Whether the user has not seen the line in its place yet. */
  let fresh = false;
  let entryOf = () => undefined;

  const isNew = (entry, after) => entry.state === "sent" && !entry.own && entry.seq > after;

  /** Puts the line where reading stopped, if there are new messages. */
  function place() {
    placed = room.read !== undefined;
    if (!placed) return;
    const was = mark;
    mark = room.log.entries.some((entry) => isNew(entry, room.read)) ? room.read : null;
    fresh = mark !== null && mark !== was;
  }

  function schedule() {
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      see();
    });
  }

  function see() {
    if (!refs.inSight || room.read === undefined || room.state.name === "refused") return;
    const seen = scroll.lastVisible(innerHeight);
    const entry = seen && entryOf(seen);
    if (!entry) return;
    // At the end, also what is no message, such as reactions.
    const newest = room.log.entries.findLast(({ seq }) => seq !== undefined);
    room.markRead(entry === newest ? Math.max(entry.seq, room.since?.seq ?? 0) : entry.seq);
  }

  room.on("welcome", place);
  room.on("read", () => {
    // The server has said only now where reading stopped.
    if (!placed) {
      place();
      draw();
    }
    schedule();
  });
  room.on("message", (message) => {
    if (message.author.id === room.me?.id) {
      mark = null;
      return;
    }
    // What was above it has been read: the line moves on.
    const isRead = mark === null || !room.log.entries.some((entry) => isNew(entry, room.read) && entry.seq < message.seq);
    if (isRead && !(refs.inSight && scroll.following)) mark = room.read ?? null;
  });
  for (const event of ["focus", "blur", "resize", "pageshow"]) refs.listen(globalThis, event, schedule);
  refs.listen(document, "visibilitychange", see);
  refs.listen(document, "scroll", schedule);
  view.addEventListener("scroll", schedule, { passive: true });
  new ResizeObserver(schedule).observe(view);

  return {
    /** How many messages are below the line. @returns {number} */
    get count() {
      return mark === null ? 0 : room.log.entries.filter((entry) => isNew(entry, mark)).length;
    },
    /** The line “New messages”. */
    line,
    /** The entry that the line is above. @returns {import("../log.js").Entry | undefined} */
    firstNew: () => (mark === null ? undefined : room.log.entries.find((entry) => isNew(entry, mark))),
    /** The list was drawn. @param {(line: HTMLElement) => import("../log.js").Entry | undefined} find */
    drawn(find) {
      entryOf = find;
      if (fresh && line.isConnected) {
        fresh = false;
        scroll.showLine(line);
      }
      schedule();
    },
    /** Where reading stopped is known now, or the user comes back to the room. */
    place,
  };
}
