"""Keeps a connection open: connects again after each drop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

import aiohttp

from pychat.client.backoff import Backoff
from pychat.client.connection import Lost, ReceivedEvent, ServerConnection
from pychat.client.disconnected import Disconnected
from pychat.client.status import State
from pychat.domain.errors import ChatError

__all__ = ["Conversation", "Reconnector"]

_WELCOME_SECONDS = 12.0
#: A connection that held this long ends a row of failures.
_STABLE_SECONDS = 5.0


class Conversation(Protocol):
    """What is said on each connection, one after the other."""

    async def open(self, http: aiohttp.ClientSession) -> ServerConnection:
        """Connect. Raise `Lost` if another attempt can help, else `Disconnected`."""

    def welcome(self, connection: ServerConnection, told: ReceivedEvent) -> None:
        """Take the first event on a new connection."""

    async def send(self, connection: ServerConnection, on_live: Callable[[], None]) -> None:
        """Send what waits, until cancelled; call `on_live` when we are back where we were."""

    def apply(self, told: ReceivedEvent) -> None:
        """Take a later event."""

    def lost(self) -> None:
        """The connection has ended; another one may follow."""

    def end(self, error: Exception, told: ChatError) -> None:
        """No connection will follow: iterators raise `error`, commands `told`."""


class Reconnector:
    """Keeps a connection open for a conversation."""

    def __init__(
        self, conversation: Conversation, backoff: Backoff, on_state: Callable[[State], object] | None
    ) -> None:
        self._conversation = conversation
        self._backoff = backoff
        self._on_state = on_state
        self._leaving = False
        self.state = State("connecting")
        #: Done when the first connection is open, or has failed.
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task: asyncio.Task[None] | None = None

    def start(self, http: aiohttp.ClientSession | None) -> None:
        """Connect in the background, by the session `http` if given."""
        self._task = asyncio.create_task(self._run(http))

    async def aclose(self) -> None:
        """Close the connection and free our names at once. Idempotent."""
        if self._task is not None:
            self._leaving = True
            self._task.cancel()
            await asyncio.wait([self._task])
            self._end(StopAsyncIteration())

    async def _run(self, given: aiohttp.ClientSession | None) -> None:
        """Run until the server ends the connection for good, or until cancelled; use the `given` session, if any."""
        http = aiohttp.ClientSession(trust_env=True) if given is None else given
        try:
            while True:
                try:
                    await self._stay(http)
                except Lost as lost:
                    if not self.ready.done() and not lost.asked_back:
                        raise Disconnected(lost.text) from lost
                    delay = self._backoff.next(lost.after)
                    self._set_state(State("reconnecting", lost.text, delay))
                    await asyncio.sleep(delay)
                    self._set_state(State("reconnecting", lost.text))
        except ChatError as error:
            self._end(error)
        except Exception as error:
            told = Disconnected(f"The server sent something that is not in the protocol ({error!r}).")
            told.__cause__ = error
            self._end(told)
        finally:
            if given is None:
                await http.close()

    async def _stay(self, http: aiohttp.ClientSession) -> None:
        """One connection."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_WELCOME_SECONDS):
                connection = await self._conversation.open(http)
        except TimeoutError:
            raise Lost("The server does not answer.") from None
        began, sending = loop.time(), None
        try:
            self._conversation.welcome(connection, await _welcome(connection))
            if not self.ready.done():
                self.ready.set_result(None)
            sending = loop.create_task(self._conversation.send(connection, self._live))
            while True:
                self._conversation.apply(await connection.next())
        finally:
            self._conversation.lost()
            if loop.time() - began >= _STABLE_SECONDS:
                self._backoff.reset()
            if sending is not None:
                sending.cancel()
                await asyncio.wait([sending])
            with contextlib.suppress(Exception):
                await connection.close(1000 if self._leaving else 1001)

    def _end(self, error: Exception) -> None:
        """End for good: the program gets the waiting events, then `error`. Idempotent."""
        if self.state.name == "closed":
            return
        told = error if isinstance(error, ChatError) else Disconnected("You have closed this client.")
        self._set_state(State("closed", str(told)))
        self._conversation.end(error, told)
        if not self.ready.done():
            self.ready.set_exception(told)

    def _live(self) -> None:
        self._set_state(State("live"))

    def _set_state(self, state: State) -> None:
        if state != self.state:
            self.state = state
            if self._on_state is not None:
                try:
                    self._on_state(state)
                except Exception as error:  # an error of the program; it must not end the connection
                    told = {"message": "on_state of a pychat.Client failed", "exception": error}
                    asyncio.get_running_loop().call_exception_handler(told)


async def _welcome(connection: ServerConnection) -> ReceivedEvent:
    """Return the first event that is not an error; errors explain the `bye` that follows."""
    try:
        async with asyncio.timeout(_WELCOME_SECONDS):
            while (told := await connection.next()).name == "error":
                pass
            return told
    except TimeoutError:
        raise Lost("The server does not answer.") from None
