/** Edits, deletions and reactions, applied to a message. Pure. */

/**
 * @typedef {import("./log.js").Message} Message
 * @typedef {{seq: number, date: string, author: {id: string}, target: number, text?: string, emoji?: string, on?: boolean}} Revision
 * an event as on the wire
 */

/** The event names. */
export const REVISIONS = ["edited", "deleted", "reacted"];

/**
 * Returns `message` with an event applied. Applying it twice changes nothing, and a deleted message stays deleted.
 * @template {Message} M
 * @param {M} message
 * @param {"edited" | "deleted" | "reacted"} kind
 * @param {Revision} event
 * @returns {M}
 */
export function revised(message, kind, event) {
  if (message.deleted || message.seq !== event.target) return message;
  if (kind === "edited") return { ...message, text: event.text, edited: event.date };
  if (kind === "deleted") return { ...message, text: "", edited: undefined, deleted: true, reactions: undefined };
  if (kind === "reacted") return { ...message, reactions: react(message.reactions, event) };
  return message;
}

function react(before = {}, { emoji, on, author }) {
  const chosen = new Map(Object.entries(before));
  const others = (chosen.get(emoji) ?? []).filter((id) => id !== author.id);
  const had = others.length < (chosen.get(emoji)?.length ?? 0);
  if (on && !had) chosen.set(emoji, [...others, author.id]);
  else if (!on && others.length) chosen.set(emoji, others);
  else if (!on) chosen.delete(emoji);
  return chosen.size ? Object.fromEntries(chosen) : undefined;
}
