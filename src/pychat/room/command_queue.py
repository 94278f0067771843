"""The order of one visitor's commands, and when their answers go out. The commands are in `session`."""

from __future__ import annotations

import asyncio
import warnings
from collections import deque
from collections.abc import Callable, Coroutine
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from pychat.domain.model import LogEvent
from pychat.room.answer import Answer
from pychat.room.fanout import Fanout
from pychat.room.tasks import Tasks

__all__ = ["CommandQueue", "queued"]

_MAX_WAITING = 16  # commands of one visitor behind the one that runs
_MAX_STORING = 256  # messages of one visitor on their way into the log
_P = ParamSpec("_P")
_T = TypeVar("_T")


class CommandQueue:
    """The commands of one visitor that are waiting, running or being stored.

    A command begins when those before it are done. Messages that are being stored hold up nothing, so that a store can
    commit several together. An answer is done when everyone was sent what was stored before it.
    """

    def __init__(self, tasks: Tasks, fanout: Fanout) -> None:
        self._tasks = tasks
        self._after_delivery = fanout.then
        self._waiting: deque[tuple[Coroutine[Any, Any, Any], Answer[Any]]] | None = None  # `None`: no command runs
        self._storing = 0
        self._ready: list[asyncio.Future[None]] = []

    def enqueue(self, command: Coroutine[Any, Any, _T]) -> Answer[_T]:
        """Run `command` when those before it are done. It runs to its end, even if nobody awaits the answer."""
        answer: Answer[_T] = Answer()
        if self._waiting is None:
            self._waiting = deque()
            self._tasks.spawn(self._work())
        self._waiting.append((command, answer))
        return answer

    def submit(self, command: Coroutine[Any, Any, _T]) -> Answer[_T]:
        """Do what `enqueue` does. Deprecated: use `enqueue`."""
        warnings.warn("CommandQueue.submit() is now CommandQueue.enqueue()", DeprecationWarning, stacklevel=2)
        return self.enqueue(command)

    def _failed(self, error: Exception) -> Answer[Any]:
        """The answer to a command that failed before it began."""
        answer: Answer[Any] = Answer()
        answer.error = error
        self._after_delivery(answer.finish)
        return answer

    def _when_stored(self, stored: asyncio.Future[LogEvent], read: Callable[[LogEvent], _T]) -> Answer[_T]:
        """Return the answer to a command whose event is being stored. It goes out after the event was written.

        `read` makes its value from the event.
        """
        answer: Answer[_T] = Answer()
        if stored.done():
            self._stored(answer, read, stored)
        else:
            self._storing += 1
            stored.add_done_callback(partial(self._stored_later, answer, read))
        return answer

    @property
    def busy(self) -> bool:
        """True if the next command could not begin at once."""
        return self._waiting is not None or self._storing >= _MAX_STORING

    @property
    def full(self) -> bool:
        """True if no more commands should be submitted until some are done."""
        return self._storing >= _MAX_STORING or (self._waiting is not None and len(self._waiting) >= _MAX_WAITING)

    async def ready(self) -> None:
        """Wait until the next command can begin at once: until then, a transport should not read on."""
        while self.busy:
            ready = asyncio.get_running_loop().create_future()
            self._ready.append(ready)
            await ready

    async def _work(self) -> None:
        """Run what waits, then end: a task lives for a burst of commands, not for a connection."""
        waiting = self._waiting
        try:
            while waiting:
                command, answer = waiting.popleft()
                try:
                    answer.value = await command
                    self._handed_out()
                except Exception as error:
                    answer.error = error
                self._after_delivery(answer.finish)
                del command, answer  # an error's traceback holds this frame
        finally:
            self._waiting = None
            for command, _ in waiting or ():  # the event loop ends
                command.close()
            self._wake()

    def _stored(self, answer: Answer[_T], read: Callable[[LogEvent], _T], stored: asyncio.Future[LogEvent]) -> None:
        try:
            answer.value = read(stored.result())
        except Exception as error:
            answer.error = error
        self._after_delivery(answer.finish)

    def _stored_later(
        self, answer: Answer[_T], read: Callable[[LogEvent], _T], stored: asyncio.Future[LogEvent]
    ) -> None:
        self._storing -= 1
        self._wake()
        if not stored.cancelled():  # it is when the event loop ends
            self._stored(answer, read, stored)

    def _handed_out(self) -> None:
        """A command has ended. Raise `Refused` if its answer may not go out."""

    def _wake(self) -> None:
        ready, self._ready = self._ready, []
        for each in ready:
            if not each.done():
                each.set_result(None)


def queued(
    method: Callable[Concatenate[Any, _P], Coroutine[Any, Any, _T]],
) -> Callable[Concatenate[CommandQueue, _P], Answer[_T]]:
    """Make a coroutine method a command: calling it enqueues it."""

    @wraps(method)
    def enqueue(queue: CommandQueue, /, *args: _P.args, **kwargs: _P.kwargs) -> Answer[_T]:
        return queue.enqueue(method(queue, *args, **kwargs))

    return enqueue
