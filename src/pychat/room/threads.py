"""The room for code in other threads: each call runs on the room's event loop, and waits for the result."""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from pychat.domain.errors import UsageError
from pychat.domain.model import Member, Message, User, Whisper

if TYPE_CHECKING:
    from pychat.room.chatroom import ChatRoom

__all__ = ["ThreadsafeRoom"]

_T = TypeVar("_T")
_LOOK = 1.0  # seconds between looks whether the loop still runs


class ThreadsafeRoom:
    """The methods of `ChatRoom` for plain `def` views, workers and timers in other threads.

    Each call blocks until it is done, and returns or raises as the room's own does. It raises `UsageError` on the
    room's own thread (await the room's method there), before the room runs (`await room.start()`), and after.
    """

    def __init__(self, room: ChatRoom, loop: Callable[[], asyncio.AbstractEventLoop | None]) -> None:
        self._room = room
        self._loop = loop

    @property
    def members(self) -> tuple[Member, ...]:
        """Everyone with a nickname, in the order of joining."""

        async def look() -> tuple[Member, ...]:
            return self._room.members

        return self._do(look)

    def post(
        self,
        text: str,
        *,
        author: str | User,
        id: str | None = None,  # noqa: A002 -- the wire's word
        reply_to: int | None = None,
    ) -> Message:
        """Post a message: see `ChatRoom.post`."""
        return self._do(lambda: self._room.post(text, author=author, id=id, reply_to=reply_to))

    def edit(self, seq: int, text: str) -> Message:
        """Change the text of message number `seq`."""
        return self._do(lambda: self._room.edit(seq, text))

    def delete(self, seq: int) -> None:
        """Delete message number `seq`."""
        self._do(lambda: self._room.delete(seq))

    def message(self, seq: int) -> Message:
        """Message number `seq`, as it stands."""
        return self._do(lambda: self._room.message(seq))

    def history(
        self, *, before: int | None = None, after: int | None = None, limit: int = 50, matching: str | None = None
    ) -> list[Message]:
        """The last `limit` messages before number `before`, oldest first: see `ChatRoom.history`."""
        return self._do(lambda: self._room.history(before=before, after=after, limit=limit, matching=matching))

    def whisper(self, member: str | Member | User, text: str, *, author: str, store: bool = False) -> Whisper:
        """Send `text` to one member: see `ChatRoom.whisper`."""
        return self._do(lambda: self._room.whisper(member, text, author=author, store=store))

    def purge(
        self,
        *,
        before: float | datetime | None = None,
        author: str | Member | User | None = None,
        seqs: Iterable[int] | None = None,
    ) -> list[int]:
        """Erase messages: see `ChatRoom.purge`."""
        return self._do(lambda: self._room.purge(before=before, author=author, seqs=seqs))

    def kick(self, member_id: str, text: str = "") -> None:
        """Remove a member: see `ChatRoom.kick`."""
        self._do(lambda: self._room.kick(member_id, text))

    def moderate(self, action: str, *, by: str = "app", **fields: str | int | bool) -> dict[str, Any]:
        """Perform an action of moderators, for example `moderate("ban", member=…)`: see `Moderation.perform`."""
        return self._do(lambda: self._room.moderation.perform(action, by=by, **fields))

    def _do(self, call: Callable[[], Awaitable[_T]]) -> _T:
        loop = self._loop()
        if loop is None:
            raise UsageError(
                f"The room “{self._room.name}” does not run yet, so no other thread can use it. Await room.start() on "
                "the event loop when your application starts; mounts do it where their host passes lifespan events on."
            )
        try:
            here = asyncio.get_running_loop()
        except RuntimeError:
            here = None
        if here is loop:
            raise UsageError("This is the room's own thread: await the method of the room itself, not of .threadsafe.")
        if not loop.is_running():
            raise UsageError(f"The event loop of the room “{self._room.name}” has ended.")

        async def do() -> _T:
            return await call()

        return self._wait(asyncio.run_coroutine_threadsafe(do(), loop), loop)

    @staticmethod
    def _wait(future: concurrent.futures.Future[_T], loop: asyncio.AbstractEventLoop) -> _T:
        while True:
            done, _ = concurrent.futures.wait([future], timeout=_LOOK)
            if done:
                return future.result()
            if not loop.is_running():
                future.cancel()
                raise UsageError("The event loop of the room ended before this was done.")
