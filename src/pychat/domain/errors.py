"""Errors, the refusal codes with their HTTP statuses, and the reasons for closing a connection.

`UsageError` is for the programmer, `Refused` for a visitor, who gets the same code and text on every transport. A text
stands where the `Refused` is raised, as in `texts` or `rules`. `REFUSALS` and `Close` are the only tables of codes,
HTTP statuses, close codes and retries.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from pychat.domain.dates import iso

__all__ = ["REFUSALS", "ChatError", "Close", "RefusalKind", "Refused", "UsageError"]


class ChatError(Exception):
    """The base class of all errors that pychat raises."""


class UsageError(ChatError):
    """Invalid use of pychat by a program, for example a malformed URL. The text says what to do instead."""


class Close(Enum):
    """Why the server closes a connection: the WebSocket code, whether the client should reconnect, and a text.

    The codes are in the private range of RFC 6455, section 7.4.2.
    """

    SHUTDOWN = (4000, True, "The server is shutting down. You will be connected again when it is back.")
    SLOW = (4001, True, "Your connection was too slow to keep up. Connect again to catch up.")
    TIMEOUT = (4002, True, "You did not answer in time.")
    FULL = (4003, True, "This server is full. Try again later.")
    BAD_FRAME = (4004, False, "What you sent does not follow the protocol.")
    TOO_LARGE = (4005, False, "What you sent is too large for this server.")
    UNKNOWN_ROOM = (4006, False, "There is no room of that name here.")
    VERSION = (4007, False, "This server does not speak that version of the protocol.")
    KICKED = (4008, False, "You were disconnected by the server.")
    LOST = (4009, True, "The room lost its messages, and starts again without them.")
    UNAVAILABLE = (4010, True, "The room cannot be entered now. You will be connected again when it can.")
    FAILED = (4011, True, "The server failed to serve this connection. Connect again to catch up.")
    NO_ACCESS = (4012, False, "You may no longer read this room.")
    DELETED = (4013, False, "This room was deleted.")
    BANNED = (4014, False, "You are banned from this room.")
    ENTRY_REQUIRED = (4015, False, "You may not enter this room yet.")
    CLOSED = (4016, False, "This room is closed. Only its moderators may enter it now.")
    FLOODING = (4017, True, "You went on sending after the server had refused. Wait before you connect again.")
    LOGIN_ENDED = (4018, False, "Your login has ended. Log in again.")

    def __init__(self, code: int, reconnect: bool, text: str) -> None:
        self.code = code
        self.reconnect = reconnect
        self.text = text

    @property
    def reason(self) -> str:
        """The name in the protocol, for example `shutdown`."""
        return self.name.lower()


class RefusalKind(NamedTuple):
    """The meaning of a refusal's code, on every transport."""

    #: The HTTP status.
    status: int
    meaning: str
    #: The reason with which a connection is closed if the visitor is refused entry with this code.
    close: Close = Close.KICKED
    #: How long a visitor who is refused entry should wait before the next attempt; `None` if waiting does not help.
    retry_seconds: float | None = None
    #: True if a client should send the same command again after a while.
    resend: bool = False

    @property
    def is_temporary(self) -> bool:
        """True if the same visitor may be let in later without changing anything."""
        return self.retry_seconds is not None


#: Every code that pychat itself refuses with. A hook may refuse with a code of its own.
REFUSALS: Mapping[str, RefusalKind] = {
    "bad_request": RefusalKind(400, "The fields of the command are not valid; the text says which one."),
    "unknown_command": RefusalKind(404, "There is no command of that name."),
    "unauthorized": RefusalKind(401, "Over HTTP: the token is missing, or this server does not know it."),
    "not_joined": RefusalKind(409, "Take a nickname first."),
    "not_entered": RefusalKind(409, "Enter the room first."),
    "already_entered": RefusalKind(409, "You are in this room already."),
    "name_invalid": RefusalKind(422, "The nickname is empty, is too long, or has a character that is not allowed."),
    "name_taken": RefusalKind(409, "Somebody here has that nickname, or one that looks like it."),
    "name_reserved": RefusalKind(403, "That nickname is reserved for the operators of the room."),
    "name_fixed": RefusalKind(409, "Your name comes with your login, and cannot be changed here."),
    "kicked": RefusalKind(403, "You were removed from the room; the text says why."),
    "login_required": RefusalKind(401, "Log in to the site first."),
    "text_empty": RefusalKind(422, "The message has no visible character."),
    "text_too_long": RefusalKind(422, "The message is longer than the room allows."),
    "text_invalid": RefusalKind(422, "The message is not valid Unicode, or has a NUL character."),
    "forbidden": RefusalKind(403, "You may not do this in this room, for example because you may only read it."),
    "muted": RefusalKind(403, "You are muted in this room; the text says why, and `until` when it ends."),
    "members_only": RefusalKind(403, "Only members of this room may write in it now."),
    "banned": RefusalKind(
        403, "You are banned from this room; the text says why, and `until` when it ends.", close=Close.BANNED
    ),
    "entry_required": RefusalKind(
        403,
        "The room asks for a password, an invitation, or the consent of a moderator; the text says which.",
        close=Close.ENTRY_REQUIRED,
    ),
    "challenge_required": RefusalKind(
        403, "The room asks guests to solve a challenge first.", close=Close.ENTRY_REQUIRED
    ),
    "room_closed": RefusalKind(403, Close.CLOSED.text, close=Close.CLOSED),
    "held": RefusalKind(403, "A moderator has to read the text first, and an edit cannot wait for that."),
    "blocked": RefusalKind(403, "You cannot write to this person."),
    "not_found": RefusalKind(404, "There is no such message (any more)."),
    "not_yours": RefusalKind(403, "Only the author of a message can change it."),
    "id_used": RefusalKind(409, "The id was used for something else."),
    "emoji_invalid": RefusalKind(422, "A reaction is one emoji."),
    "too_many": RefusalKind(409, "The limit for this is reached, for example of the kinds of reactions to a message."),
    "rate_limited": RefusalKind(
        429,
        "Too many commands at once; `retry_after` says how many seconds to wait.",
        close=Close.UNAVAILABLE,
        retry_seconds=1.0,
        resend=True,
    ),
    "slow_mode": RefusalKind(
        429,
        "Everybody in this room waits between two messages; `retry_after` says how many seconds.",
        close=Close.UNAVAILABLE,
        retry_seconds=5.0,
        resend=True,
    ),
    "flooding": RefusalKind(429, Close.FLOODING.text, close=Close.FLOODING, retry_seconds=30.0),
    "unavailable": RefusalKind(
        503,
        "The room cannot store messages now; `retry_after` says how many seconds to wait.",
        close=Close.UNAVAILABLE,
        retry_seconds=1.0,
        resend=True,
    ),
    "unknown_room": RefusalKind(404, "There is no room of that name on this server.", close=Close.UNKNOWN_ROOM),
    "too_many_rooms": RefusalKind(
        409, "You are in too many rooms, or too many rooms that were made from your address are open."
    ),
    "origin_refused": RefusalKind(403, "Pages of this origin may not connect; the text says what to set."),
    "host_refused": RefusalKind(421, "The server does not answer to this host name; the text says what to set."),
    "shutdown": RefusalKind(503, Close.SHUTDOWN.text, close=Close.SHUTDOWN, retry_seconds=5.0),
    "full": RefusalKind(503, Close.FULL.text, close=Close.FULL, retry_seconds=10.0),
    "address_full": RefusalKind(
        429,
        "Too many connections from your address are open. Close some, or try again later.",
        close=Close.FULL,
        retry_seconds=10.0,
    ),
    "connecting_full": RefusalKind(
        429,
        "Too many clients are connecting at once. Try again in a moment.",
        close=Close.FULL,
        retry_seconds=2.0,
    ),
    "internal": RefusalKind(
        500,
        "The server failed, and logged the error. Nothing was sent.",
        close=Close.UNAVAILABLE,
        retry_seconds=5.0,
    ),
}
_OTHER = RefusalKind(422, "The application refuses; its text says why.")


class Refused(ChatError):
    """A visitor may not do this. Raise it in a hook; only that visitor gets it.

    `code` is for programs: one of `REFUSALS`, or your own. `text` is for people, and says what to do. `retry_after` is
    the number of seconds after which another attempt can help, if it can. `until` is when a ban or a mute ends, in
    seconds since 1970.
    """

    def __init__(self, code: str, text: str, retry_after: float | None = None, until: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry_after = retry_after
        self.until = until

    @classmethod
    def standard(cls, code: str) -> Refused:
        """The refusal with the text and the retry time that `REFUSALS` has for `code`."""
        kind = REFUSALS[code]
        return cls(code, kind.meaning, kind.retry_seconds)

    @property
    def kind(self) -> RefusalKind:
        """Its entry in `REFUSALS`. A code of the application is permanent, with status 422."""
        return REFUSALS.get(self.code, _OTHER)

    @property
    def retry_seconds(self) -> float:
        """After how many seconds another attempt can help."""
        return self.kind.retry_seconds or 1.0 if self.retry_after is None else self.retry_after

    def as_dict(self) -> dict[str, str | float]:
        """The form in the protocol: `code`, `text` and, if there are any, `retry_after` and `until`."""
        fields: dict[str, str | float] = {"code": self.code, "text": self.text}
        if self.retry_after is not None:
            fields["retry_after"] = round(self.retry_after, 3)
        if self.until is not None:
            fields["until"] = iso(self.until)
        return fields
