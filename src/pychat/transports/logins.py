"""Asks the app again, from time to time, whether the logins of open connections still hold."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable

from pychat.domain.errors import Close, Refused, UsageError
from pychat.domain.model import User
from pychat.domain.request import Request
from pychat.room.clock import Clock, Timer

__all__ = ["Logins", "StopWatching", "nobody_watches"]

_log = logging.getLogger("pychat.auth")

_AT_ONCE = 8  # calls of the app's function
_SPREAD = 0.25  # of the time, by which each asks earlier at random: those who came together do not ask together

#: Ends the watch of a login. Idempotent.
StopWatching = Callable[[], None]
#: Ends a connection, with the reason.
_PutOut = Callable[[Close], object]


def nobody_watches() -> None:
    """There is no watch to end."""


class _Login:
    """The login of one open connection."""

    __slots__ = ("member_id", "put_out", "request", "timer")

    def __init__(self, request: Request, user: User, put_out: _PutOut) -> None:
        self.request = request
        self.member_id = user.member_id
        self.put_out = put_out
        self.timer: Timer | None = None


class Logins:
    """Calls `authenticate` with the request of each login every `seconds`, for few of them at once.

    The connection is ended with `Close.LOGIN_ENDED` if the answer is a guest, another user or a refusal for good. While
    the function fails, hangs, or refuses for now, the person stays, and the log tells of it.
    """

    def __init__(self, authenticate: Callable[[Request], Awaitable[User | None]], seconds: float, clock: Clock) -> None:
        """Raise `UsageError` for an invalid time."""
        given: object = seconds
        if not isinstance(given, int | float) or isinstance(given, bool) or not 0 < given < float("inf"):
            raise UsageError(f"revalidate: {seconds!r} is not a number of seconds above 0")
        self._authenticate = authenticate
        self._seconds = seconds
        self._clock = clock
        self.reopen()

    def reopen(self) -> None:
        """Start again, when the previous event loop has ended."""
        self._logins: set[_Login] = set()
        self._asking: set[asyncio.Task[None]] = set()
        self._turns = asyncio.Semaphore(_AT_ONCE)

    def __len__(self) -> int:
        return len(self._logins)

    def watch(self, request: Request, user: User, put_out: _PutOut) -> StopWatching:
        """Ask for this login from now on, until it has ended or the function that is returned is called."""
        login = _Login(request, user, put_out)
        self._logins.add(login)
        self._wait(login)

        def stop() -> None:
            self._stop(login)

        return stop

    def close(self) -> None:
        """Ask for nobody any more."""
        for login in list(self._logins):
            self._stop(login)
        for task in self._asking:
            task.cancel()

    def _stop(self, login: _Login) -> None:
        self._logins.discard(login)
        if login.timer is not None:
            login.timer.cancel()
            login.timer = None

    def _wait(self, login: _Login) -> None:
        early = random.uniform(0.0, _SPREAD)  # noqa: S311 -- no secret
        login.timer = self._clock.call_later(self._seconds * (1.0 - early), self._due, login)

    def _due(self, login: _Login) -> None:
        login.timer = None
        task = asyncio.get_running_loop().create_task(self._check(login))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _check(self, login: _Login) -> None:
        async with self._turns:
            holds = login not in self._logins or await self._holds(login)
        if login not in self._logins:  # the connection has ended meanwhile
            return
        if holds:
            self._wait(login)
            return
        self._stop(login)
        _log.info("The login of %s has ended, and with it a connection", ascii(login.member_id))
        login.put_out(Close.LOGIN_ENDED)

    async def _holds(self, login: _Login) -> bool:
        try:
            user = await self._authenticate(login.request)
        except Refused as refused:
            if refused.kind.is_temporary or refused.retry_after is not None:
                _log.warning(
                    "The login of %s could not be checked, and stays for now: %s", ascii(login.member_id), refused
                )
                return True
            return False
        return user is not None and user.member_id == login.member_id
