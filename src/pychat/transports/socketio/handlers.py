"""The event handlers of an application: finds and calls the handler of an event."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Protocol

__all__ = ["NOT_HANDLED", "Handlers", "NamespaceHandler"]

#: What a handler returns that answers the event itself, and what an event without a handler gives.
NOT_HANDLED = object()

_LIFECYCLE = ("connect", "disconnect")
_Handler = Callable[..., Any]


class NamespaceHandler(Protocol):
    """An object with a method `on_<event>` for each event: python-socketio's `AsyncNamespace`."""

    async def trigger_event(self, event: str, *args: object) -> object:
        """Call the method for an event."""


@lru_cache(maxsize=256)
def _takes(handler: _Handler, count: int) -> bool:
    """Whether a handler can be called with so many arguments."""
    try:
        inspect.signature(handler).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a function of C that does not say
        return True
    return True


class Handlers:
    """Finds handlers as python-socketio documents it; `"*"` is any event, or any namespace."""

    def __init__(self) -> None:
        #: By namespace, then by event.
        self.events: dict[str, dict[str, _Handler]] = {}
        #: By namespace.
        self.namespaces: dict[str, NamespaceHandler] = {}

    def serves(self, namespace: str) -> bool:
        """Whether there is a handler for this very namespace."""
        return namespace in self.events or namespace in self.namespaces

    async def connect(self, namespace: str, sid: str, environ: dict[str, Any], auth: object) -> object:
        """Call the `connect` handler, with `auth` if it takes that. Raises what the handler raises."""
        args: tuple[object, ...] = (sid, environ, auth)
        handler, given = self._find("connect", namespace, args)
        if handler is None:
            above, given = self._find_namespace(namespace, args)
            handler = getattr(above, "on_connect", None)  # as `AsyncNamespace` looks it up
        takes_auth = handler is None or _takes(handler, len(given))
        return await self.call("connect", namespace, *(args if takes_auth else args[:2]))

    async def call(self, event: str, namespace: str, *args: object) -> object:
        """Call the handler of an event; what it returns, or `NOT_HANDLED`. Raises what the handler raises."""
        handler, given = self._find(event, namespace, args)
        try:
            if handler is None:
                above, given = self._find_namespace(namespace, args)
                return NOT_HANDLED if above is None else await above.trigger_event(event, *given)
            if event == "disconnect" and not _takes(handler, len(given)):
                given = given[:-1]  # handlers of before take no reason
            result = handler(*given)
            return await result if inspect.isawaitable(result) else result
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return None  # something that the handler waited for was cancelled

    def _find(self, event: str, namespace: str, args: tuple[object, ...]) -> tuple[_Handler | None, tuple[object, ...]]:
        for space, before in ((namespace, ()), ("*", (namespace,))):
            events = self.events.get(space)
            if events is None:
                continue
            # A client may call its event "*": that is a name like any other, not the handler of all of them.
            if event != "*" and event in events:
                return events[event], (*before, *args)
            if event not in _LIFECYCLE and "*" in events:
                return events["*"], (event, *before, *args)
        return None, args

    def _find_namespace(
        self, namespace: str, args: tuple[object, ...]
    ) -> tuple[NamespaceHandler | None, tuple[object, ...]]:
        if namespace in self.namespaces:
            return self.namespaces[namespace], args
        return self.namespaces.get("*"), (namespace, *args)
