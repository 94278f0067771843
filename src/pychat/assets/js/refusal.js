/** Why a command failed: the server's refusal, or one of the client's own. */

/** The client's own refusals, for commands that did not reach the server. docs/reference/errors.md lists the server's. */
const CLIENT_TEXTS = {
  offline: "You are not connected. Try again when the connection is back.",
  timeout: "The server did not answer in time.",
  closed: "This connection was closed.",
  outbox_full: "Too many messages are waiting to be sent. Wait until the connection is back.",
  not_joined: "Choose a name first.",
  discarded: "The message was discarded.",
};

export class Refusal extends Error {
  /**
   * @param {string} code for programs
   * @param {string} [text] for people: what to do about it
   * @param {number} [retryAfter] seconds, if waiting helps
   * @param {string} [until] when it ends, ISO 8601: of a mute or a ban
   */
  constructor(code, text, retryAfter, until) {
    super(text ?? CLIENT_TEXTS[code] ?? code);
    this.name = "Refusal";
    this.code = code;
    this.retryAfter = retryAfter;
    this.until = until;
    /** Whether the server sent it. The code does not tell: a hook may use any code. */
    this.answered = false;
  }

  /** The text for people. */
  get text() {
    return this.message;
  }

  /** @param {{code?: string, text?: string, retry_after?: number, until?: string}} [error] as on the wire */
  static from(error) {
    const { code = "internal", text = "The server refused and gave no reason.", retry_after: retryAfter, until } = error ?? {};
    return Object.assign(new Refusal(code, text, retryAfter, until), { answered: true });
  }
}
