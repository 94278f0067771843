"""Threads for plain functions of the app, so that a slow one does not block the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import inspect
import queue
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

__all__ = ["Workers", "in_thread", "is_async", "working"]

_T = TypeVar("_T")
_MAX_THREADS = 40  # further calls wait for a thread
_DEEPEST = 5  # functions that wait for one another, each in a thread

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", asyncio.AbstractEventLoop]


class Workers:
    """A bounded pool of daemon threads: a function that never returns does not keep the process from ending."""

    def __init__(self, max_threads: int) -> None:
        self._max_threads = max_threads
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        #: Calls that have been begun, or wait for a thread.
        self.busy = 0

    async def run(self, call: Callable[[], _T]) -> _T:
        """Call in a thread, and return or raise what that does. A call that is begun is not ended."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[_T] = loop.create_future()
        self.busy += 1
        try:
            self._jobs.put((call, future, loop))
            with self._lock:
                if self._idle:
                    self._idle -= 1
                elif self._threads < self._max_threads:
                    self._threads += 1
                    threading.Thread(target=self._work, name="pychat worker", daemon=True).start()
            return await future
        finally:
            self.busy -= 1

    def _work(self) -> None:
        while True:
            call, future, loop = self._jobs.get()
            outcome: Any = None
            error: BaseException | None = None
            if not future.cancelled():
                try:
                    outcome = call()
                except StopIteration as stop:  # which a future cannot hold
                    error = RuntimeError(f"{stop!r} was raised")
                except BaseException as raised:
                    error = raised
            with contextlib.suppress(RuntimeError):  # where the event loop has ended
                loop.call_soon_threadsafe(_settle, future, outcome, error)
            del call, future, loop, outcome, error  # until the next call comes, nothing is kept
            with self._lock:
                self._idle += 1


def _settle(future: asyncio.Future[Any], outcome: object, error: BaseException | None) -> None:
    if future.done():
        return  # nobody waits any more
    if error is None:
        future.set_result(outcome)
    else:
        future.set_exception(error)


#: A function that waits in its thread for another one, as a hook does that posts by `room.threadsafe`, must not wait
#: for one of the threads that are all waiting so. What is called from a thread runs in the next pool.
_pools = tuple(Workers(_MAX_THREADS) for _ in range(_DEEPEST))
_depth: contextvars.ContextVar[int] = contextvars.ContextVar("pychat_worker_depth", default=0)


async def in_thread(
    call: Callable[..., _T], *arguments: object, nested: bool = True, pool: Workers | None = None
) -> _T:
    """Call a plain function of the app in a worker thread. `nested` is false where no other function waits for it.

    `pool` has threads of its own for this function.
    """
    depth = _depth.get() if nested else 0
    if depth == _DEEPEST:
        raise RuntimeError(f"{call!r} was called by functions that wait for one another, {_DEEPEST} deep: a loop?")
    context = contextvars.copy_context()
    context.run(_depth.set, depth + 1)
    return await (pool or _pools[depth]).run(partial(context.run, call, *arguments))


def working() -> bool:
    """Whether plain functions of the app are at work, or wait for a thread."""
    return any(pool.busy for pool in _pools)


def is_async(function: Callable[..., object]) -> bool:
    """Whether calling `function` gives a coroutine, so that it belongs on the event loop."""
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004 -- an object with an async __call__
