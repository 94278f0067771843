"""A store that asks for leave at every await, and a scheduler that gives it in every order that there is."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Joined, LogEvent, Renamed, Signal
from pychat.stores import Page, Receiver, Report, Store, Subscription

__all__ = ["Gates", "ScheduledStore", "schedules"]

_QUIET = 6  # turns of the loop without anything new, after which nothing more comes by itself


class Gates:
    """Where calls wait, before the store is asked and before its answer is handed on, until one is let through."""

    def __init__(self) -> None:
        #: Whether calls wait; others pass.
        self.shut = False
        self._waiting: list[asyncio.Future[None]] = []
        self._busy = 0

    async def wait(self) -> None:
        """Wait to be let through."""
        if self.shut:
            gate = asyncio.get_running_loop().create_future()
            self._waiting.append(gate)
            await gate

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Wait, do what is inside, and wait again."""
        await self.wait()
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1
        await self.wait()

    async def later(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do `work`, once it is let begin."""
        await self.wait()
        return await work

    async def quiet(self) -> None:
        """Wait until all who can go on have done so."""
        still = 0
        before = -1
        while still < _QUIET:
            await asyncio.sleep(0.0002 if self._busy else 0)
            self._waiting = [gate for gate in self._waiting if not gate.done()]
            still = still + 1 if len(self._waiting) == before and not self._busy else 0
            before = len(self._waiting)

    async def run(self, work: list[Coroutine[Any, Any, Any]], choose: Callable[[int], int]) -> list[Any]:
        """Let `work` begin, and its calls through, one at a time: of so many as wait the one that `choose` says."""
        self.shut = True
        tasks = [asyncio.ensure_future(self.later(each)) for each in work]
        await self.quiet()
        while self._waiting:
            self._waiting.pop(choose(len(self._waiting))).set_result(None)
            await self.quiet()
        self.shut = False
        async with asyncio.timeout(10):
            return await asyncio.gather(*tasks, return_exceptions=True)


class ScheduledStore(Store):
    """`inner`, each of whose calls goes through `gates`."""

    available = True

    def __init__(self, inner: Store, gates: Gates) -> None:
        self.inner = inner
        self.gates = gates
        #: Told of all that happens, before the room is.
        self.replica: Receiver = lambda _: None
        #: Which of the appends, joins and renames to come fail, as a store fails that cannot be reached; by number.
        self.failing: set[int] = set()
        self._number = 0

    def _fail(self) -> None:
        self._number += 1
        if self._number in self.failing:
            raise Refused("unavailable", "The store cannot be reached, for this is a test.", 1.0)

    def fail(self, *numbers: int) -> None:
        """Let these fail of the calls to come; the next is number 1."""
        self._number, self.failing = 0, set(numbers)

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Open a log."""

        def hear(event: Report) -> None:
            self.replica(event)
            receive(event)

        async with self.gates.call():
            return await self.inner.subscribe(room, hear)

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        """Store an event."""
        async with self.gates.call():
            self._fail()
            return await self.inner.append(room, event)

    async def signal(self, room: str, event: Signal) -> None:
        """Tell of an event."""
        async with self.gates.call():
            if isinstance(event, Joined | Renamed):
                self._fail()  # who goes is never refused: see the port
            await self.inner.signal(room, event)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """The log itself."""
        async with self.gates.call():
            return await self.inner.events(room, after=after, limit=limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Messages as they stand."""
        async with self.gates.call():
            return await self.inner.history(room, before=before, limit=limit, matching=matching)

    async def aclose(self) -> None:
        """Close the store inside."""
        await self.inner.aclose()


def schedules(most: int, seed: object) -> Iterator[Callable[[int], int]]:
    """Choosers, one for each run of the same work: every order once, if there are at most `most`; then chance.

    The first half goes through the orders as a tree is walked; if the tree has more leaves, the rest are drawn.
    """
    path: list[int] = []
    for number in range(most):
        if number >= most // 2 and path:
            chance = random.Random(f"{seed} {number}")  # noqa: S311 -- it is to be repeated
            yield chance.randrange
            continue
        taken: list[tuple[int, int]] = []
        yield _follow(path, taken)
        while taken and taken[-1][0] + 1 >= taken[-1][1]:
            taken.pop()
        if not taken:
            return
        path = [choice for choice, _ in taken]
        path[-1] += 1


def _follow(path: list[int], taken: list[tuple[int, int]]) -> Callable[[int], int]:
    def choose(count: int) -> int:
        choice = min(path[len(taken)], count - 1) if len(taken) < len(path) else 0
        taken.append((choice, count))
        return choice

    return choose
