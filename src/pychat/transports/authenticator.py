"""Calls the app's `authenticate` for a visitor, before the visitor enters."""

from __future__ import annotations

from collections.abc import Callable

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import User
from pychat.domain.request import Request
from pychat.room.app_function import AppFunction
from pychat.room.chat import Authenticate
from pychat.room.clock import Clock
from pychat.transports.logins import Logins, StopWatching, nobody_watches

__all__ = ["Authenticate", "Authenticator", "entry_status"]


class Authenticator:
    """Calls the app's `authenticate`. Without one, every visitor is a guest."""

    def __init__(
        self, authenticate: Authenticate | None = None, *, revalidate: float | None = None, clock: Clock | None = None
    ) -> None:
        """With `revalidate` seconds, the app is asked again for open connections: see `watch`.

        Raise `UsageError` if `authenticate` is not callable, and for a `revalidate` that has nothing to ask.
        """
        usage = "it takes a pychat.Request, and returns a pychat.User or None"
        self._ask = None if authenticate is None else AppFunction("authenticate", authenticate, _user, usage)
        if revalidate is not None and self._ask is None:
            raise UsageError("revalidate: it asks authenticate again, and there is none")
        #: Told the member id of a user whose login has ended.
        self.login_ended: Callable[[str], object] = lambda _: None
        #: The logins of open connections, if they are asked for again.
        self.logins = None if revalidate is None else Logins(self.authenticate, revalidate, clock or Clock())

    @property
    def asks(self) -> bool:
        """True if the app has an `authenticate`. If not, no `Request` is needed."""
        return self._ask is not None

    def watch(self, request: Request, user: User | None, put_out: Callable[[Close], object]) -> StopWatching:
        """Ask again for an open connection from time to time; `put_out` ends it when its login has ended.

        Call the function that is returned when the connection has ended. Guests are not asked for.
        """
        if self.logins is None or user is None:
            return nobody_watches

        def ended(why: Close) -> None:
            self.login_ended(user.member_id)
            put_out(why)

        return self.logins.watch(request, user, ended)

    def reopen(self) -> None:
        """Start again, when the previous event loop has ended."""
        if self.logins is not None:
            self.logins.reopen()

    def close(self) -> None:
        """Ask again for nobody."""
        if self.logins is not None:
            self.logins.close()

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
