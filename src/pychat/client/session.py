"""A client's session in one room, on version 1 of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import aiohttp

from pychat.client.address import Address
from pychat.client.connection import ReceivedEvent, ServerConnection
from pychat.client.disconnected import Disconnected
from pychat.client.room_session import RoomSession
from pychat.domain.errors import ChatError
from pychat.domain.notices import Welcome
from pychat.protocol.v1 import SUBPROTOCOL, VERSION, decode

__all__ = ["ClientSession"]


class ClientSession:
    """The conversation of a client that is in one room."""

    def __init__(self, address: Address, headers: Mapping[str, str], room: RoomSession) -> None:
        self._address = address
        self._headers = headers
        self._room = room

    async def open(self, http: aiohttp.ClientSession) -> ServerConnection:
        """Connect to the room, from our last position in it."""
        since = self._room.feed.position
        return await ServerConnection.open(
            http,
            self._address.websocket(since),
            self._headers,
            subprotocol=SUBPROTOCOL,
            entry_url=self._address.entry,
            known=since is not None,
        )

    def welcome(self, connection: ServerConnection, told: ReceivedEvent) -> None:
        """Begin in the room."""
        welcome = decode(told.name, told.fields) if told.fields.get("v") == VERSION else None
        if not isinstance(welcome, Welcome):
            raise Disconnected("The server at this address does not speak the protocol of pychat.")
        self._room.welcome(connection, welcome, told.size)

    async def send(self, connection: ServerConnection, on_live: Callable[[], None]) -> None:
        """Send what waits."""
        await self._room.send(connection, on_live)

    def apply(self, told: ReceivedEvent) -> None:
        """Take an event of the room."""
        self._room.apply(told)

    def lost(self) -> None:
        """The connection has ended."""
        self._room.lost()

    def end(self, error: Exception, told: ChatError) -> None:
        """The room has ended."""
        self._room.end(error, told)
