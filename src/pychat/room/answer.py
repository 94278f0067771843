"""The answer to a command: like a future, but its callback is called at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Answer"]

_T = TypeVar("_T")


class Answer(Generic[_T]):
    """What comes of a command. `await` it, or say with `on_done` what to call when it may be sent."""

    __slots__ = ("_call", "done", "error", "value")

    #: The result; set by the session before it is done.
    value: _T

    def __init__(self) -> None:
        #: True once everyone was told what the command caused.
        self.done = False
        #: What the command raised.
        self.error: Exception | None = None
        self._call: Callable[[Answer[_T]], object] | None = None

    def on_done(self, call: Callable[[Answer[_T]], object]) -> None:
        """Call with this answer when it is done, which may be now. Takes the place of an earlier call."""
        if self.done:
            call(self)
        else:
            self._call = call

    def result(self) -> _T:
        """The result, or raise the error. Ask once: an error that was kept would keep the frames that it passed."""
        error, self.error = self.error, None
        if error is None:
            return self.value
        try:
            raise error
        finally:
            del error

    def finish(self) -> None:
        """Let the answer be done."""
        self.done = True
        call, self._call = self._call, None
        if call is not None:
            call(self)

    def __await__(self) -> Generator[Any, None, _T]:
        if not self.done:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.on_done(lambda _: None if waiter.done() else waiter.set_result(None))
            yield from waiter
        return self.result()
