"""A function of the app that decides about visitors, such as `authenticate`: calls it with a time limit."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from pychat.domain.errors import Refused, UsageError
from pychat.domain.log_limit import RateLimitedLogger
from pychat.room.workers import Workers, in_thread, is_async

__all__ = ["AppFunction"]

_log = logging.getLogger("pychat.auth")
_T = TypeVar("_T")
_limited = RateLimitedLogger(_log, time.monotonic)
_ANSWER_SECONDS = 10.0
_MAX_THREADS = 20  # of each function: one that hangs takes no threads from the others


class AppFunction(Generic[_T]):
    """Calls one function of the app: on the event loop if it is async, else in a thread.

    A call takes 10 seconds at most. What goes wrong is logged, and only this visitor is refused.
    """

    def __init__(self, name: str, function: Callable[..., Any], accept: Callable[[Any], _T], usage: str) -> None:
        """`accept` makes the result of what the function returned, or raises `UsageError`.

        `usage` says how the function is to look. Raise `UsageError` with it if `function` cannot be called.
        """
        given: object = function
        if not callable(given):
            raise UsageError(f"{name} is a function: {usage}")
        self.name = name
        self._function = function
        self._accept = accept
        self._async = is_async(function)
        self._workers = Workers(_MAX_THREADS)

    async def __call__(self, *arguments: object, about: str, late: str, failed: str) -> _T:
        """The result. Raise `Refused`: the app's own, `unavailable` if it takes too long, `internal` if it fails.

        `about` tells the log which call it was; `late` and `failed` are the texts for the visitor.
        """
        call = self._function
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                found: Any = call(*arguments) if self._async else await in_thread(call, *arguments, pool=self._workers)
                if inspect.isawaitable(found):
                    found = await found
            if isinstance(found, Refused):
                raise found
            return self._accept(found)
        except Refused:
            raise
        except TimeoutError as error:
            _limited.error("%s did not answer for %s in %.0f s: %r", self.name, about, _ANSWER_SECONDS, error)
            raise Refused("unavailable", late, 5.0) from None
        except Exception:
            _log.exception("%s failed for %s", self.name, about)
            raise Refused("internal", failed) from None
