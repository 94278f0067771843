"""The answer to a command: like a future, but its callback is called at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

__all__ = ["Answer"]

_T = TypeVar("_T")


class Answer(Generic[_T]):
    """The result of a command. `await` it, or pass a callback to `on_done`."""

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
        """Call `call` with this answer once it is done: now, if it is. Replaces an earlier callback."""
        if self.done:
            call(self)
        else:
            self._call = call

    def result(self) -> _T:
        """Return the result or raise the error. Call it once: the error is dropped, and keeps no frames alive."""
        error, self.error = self.error, None
        if error is None:
            return self.value
        try:
            raise error
        finally:
            del error

    def finish(self) -> None:
        """Mark it as done, and call the callback."""
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
