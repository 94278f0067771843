"""The other rooms of the person: their unread counts, kept up to date without entering them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pychat.client import ChatClient
from pychat.domain.errors import ChatError
from pychat.domain.notices import UnreadRoom

__all__ = ["Rooms"]


class Rooms:
    """A second connection that is in no room, so nobody sees it."""

    def __init__(self, connect: Callable[[], ChatClient], here: str, changed: Callable[[], None]) -> None:
        """`here` is the room on the screen; `changed` is called after each change."""
        self._connect = connect
        self._here = here
        self._changed = changed
        self._unread: Mapping[str, UnreadRoom] = {}
        self._chat: ChatClient | None = None

    @property
    def unread(self) -> int:
        """How many messages are unread in the other rooms."""
        return sum(each.messages for name, each in self._unread.items() if name != self._here)

    async def watch(self) -> None:
        """Follow the counts until the connection ends. A server without them is no error."""
        try:
            async with self._connect() as self._chat:
                async for unread in self._chat.watch_unread():
                    self._unread = unread
                    self._changed()
        except ChatError:
            self._unread = {}
        finally:
            self._chat = None

    async def listed(self) -> list[str]:
        """Return a line for each room: the person's own first, then those that the server lists."""
        lines = [self._line(name, each) for name, each in sorted(self._unread.items())]
        if self._chat is not None:
            found = await self._chat.rooms()
            lines += [f"{room.title}\t{room.name}" for room in found if room.name not in self._unread]
        return lines

    def _line(self, name: str, room: UnreadRoom) -> str:
        counts = f"{room.messages} unread" if room.messages else ""
        if room.mentions:
            counts += f", {room.mentions} for you"
        here = "you are here" if name == self._here else counts
        return f"{room.title}\t{name}" + (f"  {here}" if here else "")
