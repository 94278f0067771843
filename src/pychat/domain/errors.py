"""Everything that can go wrong, in words: your bug, a visitor's fault, and why a connection closes.

Two trees, as in h2: `UsageError` is raised at the programmer, `Refused` at the visitor. What a
visitor is told never depends on which transport carries it.
"""

from __future__ import annotations

from enum import Enum

__all__ = ["REFUSALS", "ChatError", "Close", "Refused", "UsageError"]


class ChatError(Exception):
    """Base of everything that pychat raises on purpose."""


class UsageError(ChatError):
    """The program that embeds pychat asked for something that cannot be; the text says what to do instead."""


#: Every code that pychat itself refuses with. A hook may refuse with a code of its own.
REFUSALS: dict[str, str] = {
    "bad_request": "What was sent is not what this command takes; the text says which part.",
    "unknown_command": "There is no command of that name.",
    "unauthorized": "Over HTTP: there is no token, or none that this server knows.",
    "not_joined": "Take a nickname first.",
    "name_invalid": "The nickname is empty, too long, or holds characters that cannot be allowed.",
    "name_taken": "Somebody here has that nickname, or one that looks like it.",
    "name_reserved": "That nickname is kept for the people who run the room.",
    "name_fixed": "Your name comes with your login, and cannot be changed here.",
    "kicked": "You were sent out of the room; the text says why.",
    "login_required": "Log in to the site first.",
    "text_empty": "The message holds nothing that can be seen.",
    "text_too_long": "The message is longer than the room allows.",
    "text_invalid": "The message is not valid Unicode text, or holds a NUL.",
    "not_found": "There is no such message (any more).",
    "not_yours": "Only the author of a message can change it.",
    "id_used": "The id was used for something else.",
    "emoji_invalid": "A reaction is one emoji.",
    "too_many": "There is as much of this as there can be.",
    "rate_limited": "Too much at once; `retry_after` says how many seconds to wait.",
    "unavailable": "The room cannot store messages just now; `retry_after` says when to try again.",
    "unknown_room": "There is no room of that name on this server.",
    "origin_refused": "Pages of this origin may not connect; the text says what to set.",
    "host_refused": "The server does not answer to this host name; the text says what to set.",
    "internal": "The server failed at this; it is logged there. Nothing was sent.",
}


class Refused(ChatError):
    """A visitor may not do this. Raise it in a hook; it reaches that visitor alone.

    `code` is for programs (one of `REFUSALS`, or your own), `text` is for people and says what to
    do, `retry_after` is in seconds where trying again later can help.
    """

    def __init__(self, code: str, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.code = code
        self.text = text
        self.retry_after = retry_after

    def as_dict(self) -> dict[str, str | float]:
        """The form that travels: `code`, `text` and, where there is one, `retry_after`."""
        told: dict[str, str | float] = {"code": self.code, "text": self.text}
        if self.retry_after is not None:
            told["retry_after"] = round(self.retry_after, 3)
        return told


class Close(Enum):
    """Why the server closes a connection: WebSocket code, whether to come back, and words.

    The numbers are in the private range of RFC 6455, section 7.4.2.
    """

    SHUTDOWN = (4000, True, "The server is going away. You will be connected again when it is back.")
    SLOW = (4001, True, "You were reading too slowly to keep up. Connect again to catch up.")
    TIMEOUT = (4002, True, "You did not answer in time.")
    FULL = (4003, True, "This server has as many visitors as it takes. Try again later.")
    BAD_FRAME = (4004, False, "What you sent does not follow the protocol.")
    TOO_LARGE = (4005, False, "What you sent is larger than this server takes.")
    UNKNOWN_ROOM = (4006, False, "There is no room of that name here.")
    VERSION = (4007, False, "This server does not speak that version of the protocol.")
    KICKED = (4008, False, "You were disconnected by the server.")
    LOST = (4009, True, "The room lost what was said, and starts anew.")
    UNAVAILABLE = (4010, True, "The room cannot be entered just now. You will be connected again when it can.")
    FAILED = (4011, True, "The server failed to serve this connection. Connect again to catch up.")

    def __init__(self, code: int, reconnect: bool, text: str) -> None:
        self.code = code
        self.reconnect = reconnect
        self.text = text

    @property
    def reason(self) -> str:
        """The name that travels, such as `shutdown`."""
        return self.name.lower()
