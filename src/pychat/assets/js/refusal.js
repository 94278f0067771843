/** Why something could not be done: the server's answer, or what the client knows by itself. */

/** What the client says by itself, when the server could not be asked. The server's own codes are in errors.md. */
const OWN_WORDS = {
  offline: "You are not connected. Try again when the connection is back.",
  timeout: "The server did not answer in time.",
  closed: "This connection was closed.",
  outbox_full: "Too many messages are waiting to be sent. Wait until the connection is back.",
  not_joined: "Take a nickname first.",
  discarded: "The message was discarded.",
};

export class Refusal extends Error {
  /**
   * @param {string} code for programs
   * @param {string} [text] for people: what to do
   * @param {number} [retryAfter] seconds, where waiting helps
   */
  constructor(code, text, retryAfter) {
    super(text ?? OWN_WORDS[code] ?? code);
    this.name = "Refusal";
    this.code = code;
    this.retryAfter = retryAfter;
    /** Whether the server said so. A hook may refuse with any code, so the code alone does not tell. */
    this.answered = false;
  }

  /** The words for people. */
  get text() {
    return this.message;
  }

  /** @param {{code?: string, text?: string, retry_after?: number}} [told] as it travels */
  static from(told) {
    const { code = "internal", text = "The server refused, and did not say why.", retry_after: retryAfter } = told ?? {};
    return Object.assign(new Refusal(code, text, retryAfter), { answered: true });
  }
}
