"""The error for a connection that has ended for good."""

from __future__ import annotations

from pychat.domain.errors import ChatError, Close, Refused

__all__ = ["Disconnected"]


class Disconnected(ChatError):
    """The connection has ended for good, or could not be made; the text is for people.

    `close` is the server's reason where it gave one: `Close.KICKED`, `Close.UNKNOWN_ROOM` and so on. The text is the
    server's too, such as that of `room.kick(member_id, text)`. `refused` is its refusal in full, if it sent one: after
    a ban, `refused.until` is when the ban ends.
    """

    def __init__(self, text: str, close: Close | None = None, refused: Refused | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.close = close
        self.refused = refused
