/** `<pychat-unread src="https://chat.example/" room="lobby">`: a badge with the number of unread messages. */
export class PychatUnread extends HTMLElement {
  src: string | null;
  /** By default all rooms of the user. */
  room: string | null;
  /** Counts only the messages that mention the user. */
  mentions: boolean;
  token: string | (() => string | Promise<string>) | undefined;
  readonly counts: { messages: number; mentions: number };
}

declare global {
  interface HTMLElementTagNameMap {
    "pychat-unread": PychatUnread;
  }
}
