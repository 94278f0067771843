"""Calls the app's `authenticate` for a visitor, before the visitor enters."""

from __future__ import annotations

from pychat.domain.errors import Refused, UsageError
from pychat.domain.model import User
from pychat.domain.request import Request
from pychat.room.app_function import AppFunction
from pychat.room.chat import Authenticate

__all__ = ["Authenticate", "Authenticator", "entry_status"]


class Authenticator:
    """Calls the app's `authenticate`. Without one, every visitor is a guest."""

    def __init__(self, authenticate: Authenticate | None = None) -> None:
        """Raise `UsageError` if `authenticate` is not callable."""
        usage = "it takes a pychat.Request, and returns a pychat.User or None"
        self._ask = None if authenticate is None else AppFunction("authenticate", authenticate, _user, usage)

    @property
    def asks(self) -> bool:
        """True if the app has an `authenticate`. If not, no `Request` is needed."""
        return self._ask is not None

    async def authenticate(self, request: Request) -> User | None:
        """Return the user, or `None` for a guest. Raise `Refused` if the app refuses, or if its function fails."""
        if self._ask is None:
            return None
        return await self._ask(
            request,
            about=f"{request.method} {request.path} from {request.remote}",
            late="The server took too long to find out who you are. Try again.",
            failed="The server could not find out who you are. Try again later.",
        )


def _user(found: object) -> User | None:
    if found is not None and not isinstance(found, User):
        raise UsageError(f"authenticate returned {found!r}: return a pychat.User, None, or a Refused")
    return found


def entry_status(refused: Refused) -> int:
    """The HTTP status for a visitor who is refused entry: 403 for the app's own codes and codes about commands."""
    status = refused.kind.status
    return 403 if status in (409, 422) else status
