"""Delivers written events to the subscribers, on the event loop, and then answers the callers."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from pychat.domain.model import RoomDeleted
from pychat.stores.sqlite.backlog import Backlog
from pychat.stores.sqlite.item import Effect, Item
from pychat.stores.store import Receiver, Report

__all__ = ["Delivery"]

_logger = logging.getLogger("pychat.stores.sqlite")


class Delivery:
    """The subscribers of each room. `call` is for the writing thread, all else for the thread of the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, backlog: Backlog) -> None:
        self.loop = loop
        self._backlog = backlog
        self._receivers: dict[str, tuple[Receiver, ...]] = {}

    def call(self, function: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401 -- the arguments of any function
        """Call `function` on the event loop, soon."""
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits
            self.loop.call_soon_threadsafe(function, *arguments)

    def deliver(self, batch: Sequence[Item]) -> None:
        """Deliver each item in order, then resolve its future."""
        for item in batch:
            self._backlog.remove(item)
            if item.deliver:
                self.publish(item.room, item.signal or item.result)
            for report in item.reports:
                self.publish(item.room, report)
            if item.effect is Effect.DELETES and item.error is None:
                self._end(item.room)
            if item.receive is not None and item.error is None and not item.future.cancelled():
                self._receivers[item.room] = (*self._receivers.get(item.room, ()), item.receive)
            if item.future.done():  # the caller was cancelled
                continue
            if item.error is not None:
                item.future.set_exception(item.error)
            else:
                item.future.set_result(item.result)

    def unsubscribe(self, room: str, receive: Receiver) -> None:
        """Stop calling `receive`."""
        receivers = [each for each in self._receivers.get(room, ()) if each != receive]
        if receivers:
            self._receivers[room] = tuple(receivers)
        else:
            self._receivers.pop(room, None)

    def _end(self, room: str) -> None:
        receivers = self._receivers.pop(room, ())
        self._publish(receivers, RoomDeleted())

    def publish(self, room: str, event: Report) -> None:
        """Deliver one event."""
        self._publish(self._receivers.get(room, ()), event)

    @staticmethod
    def _publish(receivers: Sequence[Receiver], event: Report) -> None:
        for receive in receivers:
            try:
                receive(event)
            except Exception:
                _logger.exception("A subscriber failed at %r.", event)
