/** The hue and initials of a member, the same in every browser. The style sheet adapts the hue to its theme. */

/** Degrees of OKLCH that the eye can distinguish; none is near the red of errors. */
const HUES = [50, 75, 105, 135, 160, 190, 215, 240, 265, 290, 315, 345];

/** @param {string} id @returns {number} */
export function hue(id) {
  let hash = 0x811c9dc5; // FNV-1a, 32 bits: ids that differ in one character get different hues
  for (const unit of id) hash = Math.imul(hash ^ unit.codePointAt(0), 0x01000193) >>> 0;
  return HUES[((hash ^ (hash >>> 16)) >>> 0) % HUES.length];
}

/** Hues beside each other in the list are apart on the wheel by this number of steps; it has no divisor with twelve. */
const STEP = 5;

/** The hues of the people of a room: nobody changes theirs while they are here, and up to twelve have different ones. */
export class Hues {
  /** Of all who were here: the messages of those who left keep their colour. @type {Map<string, number>} */
  #chosen = new Map();
  #here = new Set();
  /** How many people who are here have a hue. @type {Map<number, number>} */
  #uses = new Map(HUES.map((one) => [one, 0]));

  /** @param {string} id of a member @returns {number} */
  of(id) {
    return this.#chosen.get(id) ?? hue(id);
  }

  /** The member's own hue, or the next that nobody else who is here has. @param {string} id */
  enter(id) {
    if (this.#here.has(id)) return;
    const first = HUES.indexOf(this.of(id));
    const inTurn = HUES.map((_, at) => HUES[(first + at * STEP) % HUES.length]);
    const least = Math.min(...this.#uses.values());
    const chosen = inTurn.find((one) => this.#uses.get(one) === least);
    this.#here.add(id);
    this.#chosen.set(id, chosen);
    this.#uses.set(chosen, least + 1);
  }

  /** @param {string} id */
  leave(id) {
    if (!this.#here.delete(id)) return;
    const left = this.#chosen.get(id);
    this.#uses.set(left, this.#uses.get(left) - 1);
  }

  /** Exactly these are here now. @param {string[]} ids */
  reset(ids) {
    const now = new Set(ids);
    for (const id of this.#here) if (!now.has(id)) this.leave(id);
    for (const id of ids) this.enter(id);
  }
}

const graphemes = globalThis.Intl?.Segmenter ? new Intl.Segmenter(undefined, { granularity: "grapheme" }) : null;

function first(word) {
  if (!graphemes) return [...word][0] ?? "";
  return graphemes.segment(word)[Symbol.iterator]().next().value?.segment ?? "";
}

/** One or two graphemes; a family emoji counts as one. @param {string} name @returns {string} */
export function initials(name) {
  const words = name.split(/[\s_.-]+/u).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const letters = words.map((word) => first(word.replace(/^[^\p{L}\p{N}]+/u, "")));
  if (letters.length === 0) return first(name.trim()) || "?";
  return (letters.length > 1 ? letters[0] + letters.at(-1) : letters[0]).toLocaleUpperCase();
}
