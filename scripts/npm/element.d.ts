import type { Member, Message, Room, State, Stored } from "./client.js";

export type Theme = "light" | "dark" | "auto";

/** The events of `<pychat-room>`, which do not bubble. */
export interface PychatRoomEventMap {
  message: CustomEvent<Message>;
  joined: CustomEvent<Member>;
  status: CustomEvent<State>;
}

/** `<pychat-room src="https://chat.example/" room="lobby">`: a chat room. */
export class PychatRoom extends HTMLElement {
  /** Where pychat is mounted. */
  src: string | null;
  /** The name of the room; by default the first one. */
  room: string | null;
  /** A nickname to take without asking. */
  name: string | null;
  theme: Theme | null;
  /** The text in the empty message box. */
  placeholder: string | null;
  /** The language of the element, such as `de`; by default the one that the browser asks for. */
  language: string | null;
  /** For users of your application: a text, or a function that is called for each connection. */
  token: string | (() => string | Promise<string>) | undefined;
  /** `null` until the room is open. */
  readonly client: Room | null;
  readonly status: State;
  /** Sends a message as soon as the room is open. */
  say(text: string, options?: { replyTo?: number }): Promise<Stored>;
  addEventListener<Type extends keyof PychatRoomEventMap>(
    type: Type,
    listener: (this: PychatRoom, event: PychatRoomEventMap[Type]) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(type: string, listener: EventListenerOrEventListenerObject, options?: boolean | AddEventListenerOptions): void;
}

declare global {
  interface HTMLElementTagNameMap {
    "pychat-room": PychatRoom;
  }
}
