"""Calls the app's `authenticate` for a visitor, before the visitor enters."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Refused, UsageError
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.model import User
from pychat.net.http.request import Request
from pychat.room.workers import in_thread, is_async

__all__ = ["Authenticate", "Authenticator", "entry_status"]

_log = logging.getLogger("pychat.auth")
_limited = RateLimitedLogger(_log, time.monotonic)
_ANSWER_SECONDS = 10.0  # that the app's function may take

#: The app's function: it returns a `User`, or `None` for a guest. It may raise or return `Refused`, and may be async.
Authenticate = Callable[[Request], User | Refused | Awaitable[User | Refused | None] | None]


class Authenticator:
    """Calls the app's `authenticate`. Without one, every visitor is a guest."""

    def __init__(self, authenticate: Authenticate | None = None) -> None:
        """Raise `UsageError` if `authenticate` is not callable."""
        if authenticate is not None and not callable(authenticate):
            raise UsageError("authenticate is a function: it takes a pychat.Request, and returns a pychat.User or None")
        self._authenticate = authenticate

    @property
    def asks(self) -> bool:
        """True if the app has an `authenticate`. If not, no `Request` is needed."""
        return self._authenticate is not None

    async def authenticate(self, request: Request) -> User | None:
        """Return the user, or `None` for a guest. Raise `Refused` if the app refuses, or if its function fails."""
        if self._authenticate is None:
            return None
        ask = self._authenticate
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                found = ask(request) if is_async(ask) else await in_thread(ask, request)
                if inspect.isawaitable(found):
                    found = await found
            if isinstance(found, Refused):
                raise found
            if found is not None and not isinstance(found, User):
                raise UsageError(f"authenticate returned {found!r}: return a pychat.User, None, or a Refused")
        except Refused:
            raise
        except TimeoutError as error:
            _limited.error("authenticate did not answer for %s in %.0f s: %r", request.path, _ANSWER_SECONDS, error)
            raise Refused("unavailable", "The server took too long to find out who you are. Try again.", 5.0) from None
        except Exception:
            _log.exception("authenticate failed for %s %s from %s", request.method, request.path, request.remote)
            raise Refused("internal", "The server could not find out who you are. Try again later.") from None
        return found


def entry_status(refused: Refused) -> int:
    """The HTTP status for a visitor who is refused entry: 403 for the app's own codes and codes about commands."""
    status = refused.kind.status
    return 403 if status in (409, 422) else status
