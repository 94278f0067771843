"""`Client`: takes part in one room. Reconnects by itself, and yields each event once, in order."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

import aiohttp

from pychat.client.address import Address
from pychat.client.backoff import Backoff
from pychat.client.event_queue import EventQueue
from pychat.client.headers import login_headers
from pychat.client.reconnector import Reconnector
from pychat.client.room import RoomClient
from pychat.client.room_session import RoomSession
from pychat.client.session import ClientSession
from pychat.client.status import State
from pychat.domain.errors import UsageError

__all__ = ["Client"]

_NOT_ENTERED = "Enter the client first: async with pychat.Client(url) as chat: …"


class Client(RoomClient):
    """A room on a server. Use it as `async with pychat.Client(url, name="bot") as chat`, and iterate over it.

    `url` is the address of the server, with any prefix, or of a room's page; `room` names one of several rooms. With
    `name` you join at once; without it you only listen, and may `join` later. If your login has a name, that one is
    used, and a warning is logged if it differs. `headers`, `cookies` and `token` (sent as
    `Authorization: Bearer …`) are for servers with logins; an aiohttp `session` has its own TLS and proxy settings.
    `resume` is the `chat.resume` of an earlier run: with it you are the same member again. If a room asks for a
    password or an invitation, give the token that you got for it as both `token` and `resume`. `on_state` is called
    whenever `state` changes.

    Iterating yields a `RoomSnapshot` first, then events: messages (yours too, once they are stored), their edits,
    deletions and reactions, members who join, leave, rename and type, and what moderators change (`RoomChanged`,
    `AccessChanged`, `QueueChanged`, `HeldDecided`). The client reconnects by itself: after a
    drop the missed events follow in order, each once. Unanswered commands are sent again, and take effect once. The
    iterator ends when you close the client. It raises `Disconnected` when the server ends the connection for good, and
    `Refused` if your nickname is no longer free after a drop (`join` with another one, and continue to iterate).

    The commands are those of `RoomClient`. `ChatClient` is for many rooms.

    At most `max_buffer_bytes` wait for the iterator. If a program falls behind further, it gets the missed events when
    it has caught up, except joins, leaves and typing.
    """

    def __init__(
        self,
        url: str,
        room: str | None = None,
        name: str | None = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        session: aiohttp.ClientSession | None = None,
        resume: str | None = None,
        on_state: Callable[[State], object] | None = None,
        max_buffer_bytes: int = 4 * 2**20,
    ) -> None:
        super().__init__(EventQueue(max_buffer_bytes))
        self._address = Address.parse(url, room)
        self._name = name
        self._headers = login_headers(headers, cookies, token)
        self._http = session
        self._resume = resume
        self._on_state = on_state
        self._session: RoomSession | None = None
        self._reconnector: Reconnector | None = None

    # Opening and closing

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise UsageError("A client is entered once. Make a new one.")
        self._session = RoomSession(self._feed)
        self._session.resume = self._resume
        conversation = ClientSession(self._address, self._headers, self._session)
        self._reconnector = Reconnector(conversation, Backoff(random.random), self._on_state)
        self._reconnector.start(self._http)
        try:
            await self._reconnector.ready
            if self._name is not None:
                await self._join_first(self._name)
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connection and free the nickname at once. Unanswered commands fail. Idempotent."""
        if self._reconnector is not None:
            await self._reconnector.aclose()

    # State

    @property
    def resume(self) -> str | None:
        """A token with which a later client is the same member again. Keep it secret, like a password."""
        return self._client_session.resume

    @property
    def state(self) -> State:
        """The state of the connection."""
        if self._reconnector is None:
            raise UsageError(_NOT_ENTERED)
        return self._reconnector.state

    @property
    def _client_session(self) -> RoomSession:
        if self._session is None:
            raise UsageError(_NOT_ENTERED)
        return self._session
