"""The error for a connection that has ended for good."""

from __future__ import annotations

from pychat.domain.errors import ChatError, Close

__all__ = ["Disconnected"]


class Disconnected(ChatError):
    """The connection has ended for good, or could not be made; the text is for people.

    `close` is the server's reason where it gave one: `Close.KICKED`, `Close.UNKNOWN_ROOM` and so on. The text is the
    server's too, such as that of `room.kick(member_id, text)`.
    """

    def __init__(self, text: str, close: Close | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.close = close
