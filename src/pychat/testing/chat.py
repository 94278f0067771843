"""What a test has in its hands: rooms, people, a clock, a store. pytest gives it as the fixture `chat`."""

from __future__ import annotations

import asyncio
import copy
import difflib
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from pychat.domain.errors import UsageError
from pychat.domain.model import User
from pychat.room.chatroom import ChatRoom
from pychat.testing.actor import Actor
from pychat.testing.clock import FakeClock
from pychat.testing.failures import Failures
from pychat.testing.faults import FaultyStore
from pychat.testing.line import OUTBOX
from pychat.testing.renewal import renew
from pychat.testing.screen import lines
from pychat.testing.waiting import Waiting

__all__ = ["Chat"]


class Chat:
    """Rooms and people in this process, without a port. The fixture `chat` is one; `with Chat() as chat:` another.

    Rooms made or adopted here share one store, and one clock that stands still until it is moved: graces, presence and
    typing go by it, and so do rates (200 commands each, until time passes).
    """

    def __init__(self, *, patience: float = 2.0) -> None:
        """`patience` is for how many real seconds a test waits for what does not come."""
        #: The clock of the rooms: `clock.move(31)` lets 31 seconds pass, `await chat.sleep(31)` waits for what is due.
        self.clock = FakeClock()
        #: Where the rooms keep what is said; it fails when you say so.
        self.store = FaultyStore(clock=self.clock)
        self._waiting = Waiting(self.clock, self.store, patience)
        self._undo: list[Callable[[], None]] = []
        self._guests = 0
        self._failures = Failures()

    def __enter__(self) -> Self:
        self._failures.listen()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._failures.stop()
        while self._undo:
            self._undo.pop()()
        if error is None and self.hook_errors:
            first, others = self.hook_errors[0], len(self.hook_errors) - 1
            raise AssertionError(f"A hook failed: {first!r}{f' (and {others} more)' if others else ''}") from first

    @property
    def hook_errors(self) -> list[BaseException]:
        """What hooks raised that are told what has happened. At the end it fails the test: if that is meant, clear it.

        What other hooks raise reaches the author, as `Refused` with `internal`.
        """
        return self._failures.errors

    @property
    def patience(self) -> float:
        """For how many real seconds a test waits for what does not come. It may be set."""
        return self._waiting.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._waiting.patience = seconds

    def room(self, name: str = "lobby", **settings: Any) -> ChatRoom:  # noqa: ANN401 -- ChatRoom's own, and checked there
        """A new room by the clock and the store of this test; `settings` are those of `ChatRoom`."""
        return ChatRoom(name, **{"store": self.store, "clock": self.clock, **settings})

    def adopt(self, room: ChatRoom) -> ChatRoom:
        """Make `room`, the one of your app with its hooks, as new, by the clock and the store of this test.

        After the test it is as it was before, with whatever was in it, and without hooks that the test added.
        """
        self._undo.append(renew(room, self.store, self.clock))
        return room

    def another_server(self, room: ChatRoom) -> ChatRoom:
        """The same room on another server: settings and hooks of `room`, and its store and clock.

        After `room.aclose()` it is the same server after a restart.
        """
        other = copy.copy(room)
        renew(other)
        return other

    async def person(
        self,
        room: ChatRoom,
        name: str | None = None,
        *,
        user: User | None = None,
        reads: bool = True,
        outbox: int = OUTBOX,
    ) -> Actor:
        """Bring somebody into `room`; without a name, a guest who has taken none.

        A `user` is one whom your app's `authenticate` would have returned: with their own name, unless they pick one.
        Who does not read (`reads=False`) takes nothing that comes after joining; `outbox` bytes of it are kept.
        """
        __tracebackhide__ = True
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            raise UsageError(
                "pychat runs on asyncio. With anyio's plugin, have a fixture `anyio_backend` that returns “asyncio”."
            ) from None
        label = name or (user.name or user.id if user else None)
        if label is None:
            self._guests += 1
            label = f"guest {self._guests}"
        actor = Actor(self._waiting, label, outbox=outbox, user=user)
        await actor.enters(room)
        if name is not None:
            await actor.joins(name)
        if not reads:
            await self._waiting.settle()
            actor.stops_reading()
        return actor

    async def people(self, room: ChatRoom, *names: str) -> tuple[Actor, ...]:
        """Bring several into `room`, one after the other: `alice, bob = await chat.people(room, "alice", "bob")`."""
        __tracebackhide__ = True
        return tuple([await self.person(room, name) for name in names])

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the clock, at once, and everything happen that is due then."""
        await self._waiting.sleep(seconds)

    async def settle(self) -> None:
        """Let everything happen that has been set going. No time passes."""
        await self._waiting.settle()

    def same_order(self, *people: Actor) -> None:
        """Fail unless all of `people` have the same on their screens, in the same order, since the last came in."""
        __tracebackhide__ = True
        if len(people) < 2:
            raise UsageError("An order is compared between two people, or more.")
        begin = max((person.messages[0].seq for person in people if person.messages), default=0)
        screens = [(each, [f"{m.seq} {line}" for m, line in _numbered(each) if m.seq >= begin]) for each in people]
        first, expected = screens[0]
        for other, shown in screens[1:]:
            if shown != expected:
                diff = "\n".join(f"  {line}" for line in difflib.ndiff(expected, shown) if line[0] != "?")
                raise AssertionError(
                    f"{first.name} and {other.name} do not see the same (-: {first.name}, +: {other.name}):\n{diff}"
                )


def _numbered(person: Actor) -> list[tuple[Any, str]]:
    return list(zip(person.messages, lines(person.messages), strict=True))
