"""The fixture `chat`: makes rooms and people for a test, with a fake clock and a store that can fail."""

from __future__ import annotations

import asyncio
import copy
import difflib
import warnings
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
    """Rooms and people in this process, without a port. Use the fixture `chat`, or `with Chat() as chat:`.

    All rooms made or adopted here share one store and one clock. The clock stands still until it is moved. Grace times,
    presence, typing and rate limits use this clock, so a person can send 200 commands before time passes.
    """

    def __init__(self, *, timeout: float = 2.0, patience: float | None = None) -> None:
        """`timeout` is how long a test waits for something that does not come, in real seconds.

        `patience` is the old name of `timeout`. It is deprecated.
        """
        if patience is not None:
            _warn_of_patience()
            timeout = patience
        #: The clock of the rooms. `clock.move(31)` lets 31 seconds pass; `await chat.sleep(31)` also runs what is due.
        self.clock = FakeClock()
        #: The store of the rooms. It fails when the test says so.
        self.store = FaultyStore(clock=self.clock)
        self._waiting = Waiting(self.clock, self.store, timeout)
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
        """The errors of hooks that run after an event. They fail the test at its end, unless you clear the list.

        An error of another hook reaches the author, as `Refused` with `internal`.
        """
        return self._failures.errors

    @property
    def timeout(self) -> float:
        """How long a test waits for something that does not come, in real seconds. It can be set."""
        return self._waiting.timeout

    @timeout.setter
    def timeout(self, seconds: float) -> None:
        self._waiting.timeout = seconds

    @property
    def patience(self) -> float:
        """The old name of `timeout`. Deprecated."""
        _warn_of_patience()
        return self.timeout

    @patience.setter
    def patience(self, seconds: float) -> None:
        _warn_of_patience()
        self.timeout = seconds

    def room(self, name: str = "lobby", **settings: Any) -> ChatRoom:  # noqa: ANN401 -- ChatRoom's own, and checked there
        """Make a room with the clock and the store of this test. `settings` are those of `ChatRoom`."""
        return ChatRoom(name, **{"store": self.store, "clock": self.clock, **settings})

    def adopt(self, room: ChatRoom) -> ChatRoom:
        """Empty `room`, for example the one of your app, and give it the clock and the store of this test.

        Its hooks stay. After the test the room has its content again, and no hooks that the test added.
        """
        self._undo.append(renew(room, self.store, self.clock))
        return room

    def another_server(self, room: ChatRoom) -> ChatRoom:
        """Make the same room on another server, with the settings, hooks, store and clock of `room`.

        If you call `room.aclose()` first, it is the same server after a restart.
        """
        other = copy.copy(room)
        other.backend = copy.copy(room.backend)
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
        """Bring a person into `room`; without a `name`, a guest.

        `user` is what `authenticate` of your app would return; its name is used if `name` is not given. With
        `reads=False` the person stops reading after joining, and `outbox` bytes wait for them at most.
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
        """Bring people into `room`, one by one: `alice, bob = await chat.people(room, "alice", "bob")`."""
        __tracebackhide__ = True
        return tuple([await self.person(room, name) for name in names])

    async def sleep(self, seconds: float) -> None:
        """Let `seconds` pass on the clock without waiting, and run everything that is due."""
        await self._waiting.sleep(seconds)

    async def settle(self) -> None:
        """Wait until everything that was started has finished. No time passes on the clock."""
        await self._waiting.settle()

    def same_order(self, *people: Actor) -> None:
        """Fail unless all of `people` have the same messages in the same order since the last one came."""
        __tracebackhide__ = True
        if len(people) < 2:
            raise UsageError("Give two people or more, to compare their order.")
        begin = max((person.messages[0].seq for person in people if person.messages), default=0)
        screens = [(each, [f"{m.seq} {line}" for m, line in _numbered(each) if m.seq >= begin]) for each in people]
        first, expected = screens[0]
        for other, shown in screens[1:]:
            if shown != expected:
                diff = "\n".join(f"  {line}" for line in difflib.ndiff(expected, shown) if line[0] != "?")
                raise AssertionError(
                    f"{first.name} and {other.name} do not see the same (-: {first.name}, +: {other.name}):\n{diff}"
                )


def _warn_of_patience() -> None:
    warnings.warn("Chat's patience is now its timeout", DeprecationWarning, stacklevel=3)


def _numbered(person: Actor) -> list[tuple[Any, str]]:
    return list(zip(person.messages, lines(person.messages), strict=True))
