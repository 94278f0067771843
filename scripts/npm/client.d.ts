/** A member of a room. */
export interface Member {
  id: string;
  name: string;
  roles?: string[];
}

/** The beginning of the message that a reply answers. */
export interface Quote {
  seq: number;
  author?: string;
  text?: string;
}

/** A stored message. */
export interface Message {
  id: string;
  /** Its number in the room. */
  seq: number;
  /** ISO 8601. */
  date: string;
  author: Member;
  text: string;
  reply?: Quote;
  /** When it was edited, ISO 8601. */
  edited?: string;
  deleted?: boolean;
  /** Ids of the members whom it names. */
  mentions?: string[];
  /** Member ids by emoji. */
  reactions?: Record<string, string[]>;
}

/** A message in the log, stored or not; or joins and leaves. */
export interface Entry extends Partial<Omit<Message, "date">> {
  state: "sent" | "pending" | "held" | "failed" | "notice" | "whisper";
  own: boolean;
  date: string;
  error?: { code: string; text: string };
  notice?: { readonly text: string };
}

/** What is missing in the log: the numbers between these two. */
export interface Gap {
  from: number;
  to: number;
}

/** The state of a connection. */
export interface State {
  name: "connecting" | "live" | "reconnecting" | "refused" | "closed";
  text?: string;
  code?: string;
  until?: string;
  /** Milliseconds since 1970. */
  retryAt?: number;
}

/** The server refused something, or it could not be asked. */
export class Refusal extends Error {
  readonly code: string;
  /** For people. */
  readonly text: string;
  /** Seconds. */
  readonly retryAfter?: number;
  readonly until?: string;
  /** Whether the server refused. */
  readonly answered: boolean;
}

/** What the server answered when it stored a message. */
export interface Stored {
  id: string;
  seq: number;
  date: string;
}

export type Permission = "read" | "write" | "react" | "upload" | "moderate";
export type Role = "owner" | "moderator" | "member" | "guest" | "reader";

export interface People {
  here: number;
  guests: number;
  members: Member[];
  listed: boolean;
}

export interface RoomEvents {
  state: State;
  welcome: Record<string, unknown>;
  message: Message;
  edited: Record<string, unknown>;
  deleted: Record<string, unknown>;
  reacted: Record<string, unknown>;
  log: { kind: "reset" | "add" | "change" | "remove" | "more"; entry?: Entry };
  people: People;
  typing: Member[];
  access: Permission[] | undefined;
  room: Record<string, unknown>;
  queue: { reports: number; held: number; asking: number } | null;
  held: { id: string; state: "approved" | "rejected"; reason?: string };
  read: number;
  whisper: { id: string; date: string; author: Member; text: string };
  me: Member | null;
  joined: Member;
  ask: Refusal;
  error: Refusal;
}

/** Calls a listener for each event of a name; returns a function that ends it. */
interface Listening<Events> {
  on<Name extends keyof Events>(event: Name, listener: (payload: Events[Name]) => void): () => void;
}

/** A room, and the user in it. */
export interface Room extends Listening<RoomEvents> {
  readonly about: { name: string; title: string } | null;
  readonly entry: "open" | "ask" | "members" | "closed";
  readonly joined: boolean;
  readonly limits: { name: number; text: number };
  readonly log: { readonly entries: Entry[]; readonly gaps: { readonly list: Gap[] } };
  readonly me: Member | null;
  readonly messages: Message[];
  readonly moderates: boolean;
  readonly muted: { until?: string; reason?: string } | null;
  readonly people: People;
  readonly pinned: { seq: number; author: string; text: string }[];
  readonly queue: { reports: number; held: number; asking: number } | null;
  readonly read: number | undefined;
  readonly role: Role;
  readonly slow: number;
  readonly state: State;
  readonly topic: string;
  readonly writing: "all" | "members" | "moderators";
  readonly you: { id: string; name: string; roles: string[]; name_fixed: boolean } | null;
  audit(before?: number): Promise<{ entries: Record<string, unknown>[]; more: boolean }>;
  become(token: string): void;
  close(): void;
  delete(seq: number): Promise<void>;
  discard(id: string): void;
  edit(seq: number, text: string): Promise<void>;
  fill(gap: Gap, end?: "newer" | "older"): Promise<void>;
  find(seq: number): Promise<Entry | undefined>;
  history(options?: { before?: number; limit?: number; matching?: string }): Promise<{ messages: Message[]; more: boolean }>;
  join(name: string): Promise<Member>;
  leave(): Promise<void>;
  markRead(seq: number): void;
  may(permission: Permission): boolean;
  moderate(action: { action: string; [field: string]: unknown }): Promise<Record<string, unknown>>;
  moderation(): Promise<Record<string, unknown>>;
  react(seq: number, emoji: string, on?: boolean): Promise<void>;
  reconnect(): void;
  report(seq: number, reason?: string): Promise<void>;
  retry(id: string): Promise<Stored>;
  say(text: string, options?: { replyTo?: number }): Promise<Stored>;
  typing(on: boolean): void;
  who(): Promise<{ here: number; members: Member[] }>;
}

export interface ListedRoom {
  name: string;
  title: string;
  /** How many are unread. */
  messages: number;
  /** How many of these mention the user. */
  mentions: number;
  seq?: number;
  /** The people of a direct room. */
  direct?: Member[];
}

export interface RoomList {
  readonly known: boolean;
  readonly rooms: ListedRoom[];
  readonly hasMore: boolean;
  find(name: string): ListedRoom | undefined;
  more(): Promise<void>;
}

export interface ChatEvents {
  state: State;
  rooms: RoomList;
  blocked: Set<string>;
}

/** Many rooms on one connection. */
export interface Chat extends Listening<ChatEvents> {
  readonly blocked: Set<string>;
  readonly id: string | undefined;
  readonly list: RoomList;
  readonly rooms: Room[];
  readonly state: State;
  readonly you: Room["you"];
  become(token: string): void;
  block(id: string, on?: boolean): Promise<void>;
  close(): void;
  direct(...ids: string[]): Promise<string>;
  enter(name: string): Room;
  reconnect(): void;
}

export interface ConnectOptions {
  /** Where pychat is mounted, such as `https://chat.example/`. */
  url: string | URL;
  /** A nickname to take first, without asking. */
  name?: string;
  /** For users of your application: a text, or a function that is called for each connection. */
  token?: string | (() => string | Promise<string>);
  /** Keep the name and unsent messages over reloads; `true` by default. */
  remember?: boolean;
}

/** Opens a room on a connection of its own. */
export function connect(options: ConnectOptions & { /** By default the first one. */ room?: string }): Room;

/** Opens a connection for many rooms. */
export function openChat(options: ConnectOptions & { /** Only the rooms that the user follows. */ onlyUnread?: boolean }): Chat;
