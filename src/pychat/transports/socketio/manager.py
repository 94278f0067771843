"""The client manager of python-socketio (rooms, broadcasts, callbacks) on top of pychat's namespaces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import socketio

from pychat.domain import strictjson
from pychat.transports.socketio.client import SocketIOClient
from pychat.transports.socketio.namespaces import Namespaces
from pychat.transports.socketio.packet import EVENT, encode

__all__ = ["Manager"]


class _StrictJson:
    """What managers of several processes write to their queue with."""

    loads = staticmethod(strictjson.loads)
    dumps = staticmethod(strictjson.dumps)


class Manager(socketio.AsyncManager):
    """For several processes derive from one of the library's managers and this one.

    Such as `class Ours(socketio.AsyncRedisManager, Manager)`.
    """

    def serve(self, namespaces: Namespaces) -> None:
        """Set where the clients are, before the library sets its server."""
        self.namespaces = namespaces
        self.rooms = namespaces.rooms

    def set_server(self, server: Any) -> None:  # noqa: ANN401 (the library's)
        """Keep the server."""
        super().set_server(server)
        self.json = _StrictJson

    # What our server calls (`Acknowledgements`).

    def begin(self) -> None:
        """The first client connects: a manager of several processes begins to listen to the others."""
        self.initialize()

    def expects(self, sid: str, number: int) -> bool:
        """Whether a callback waits for this answer of a client."""
        return number in self.callbacks.get(sid, ())

    async def answered(self, sid: str, number: int, values: list[Any]) -> None:
        """Call the callback."""
        await self.trigger_callback(sid, number, values)

    def forget(self, sid: str) -> None:
        """Forget the callbacks of a client that has gone."""
        self.callbacks.pop(sid, None)

    # The library's interface, by its names.

    async def emit(
        self,
        event: str,
        data: Any,  # noqa: ANN401 (JSON)
        namespace: str,
        room: Any = None,  # noqa: ANN401 (the library's)
        skip_sid: Any = None,  # noqa: ANN401 (the library's)
        callback: Callable[..., object] | None = None,
        to: Any = None,  # noqa: ANN401 (the library's)
        **_kwargs: object,
    ) -> None:
        """Encode once, then one send for each: no task, no queue, no await.

        Raises `ValueError` for NaN, infinities and lone surrogates, before anything is sent.
        """
        skip = {skip_sid} if isinstance(skip_sid, str) else set(skip_sid or ())
        values = [event, *(data if isinstance(data, tuple) else [] if data is None else [data])]
        targets = [client for client in self.namespaces.targets(namespace, to or room) if client.sid not in skip]
        if callback:
            for client in targets:
                _send(client, encode(EVENT, values, namespace, self._generate_ack_id(client.sid, callback)))
        elif targets:
            packet = encode(EVENT, values, namespace)
            for client in targets:
                _send(client, packet)

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        """Pairs of client and session."""
        for client in self.namespaces.targets(namespace, room):
            yield client.sid, client.session.socket.sid

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether it is connected, and not on its way out."""
        client = self.namespaces.client(sid, namespace)
        return client is not None and client.connected

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Put a client into a room. Raises `ValueError` for a client that is not there, or another one's own room."""
        del eio_sid
        client = self.namespaces.client(sid, namespace)
        if client is None:
            raise ValueError("sid is not connected to requested namespace")
        self.namespaces.enter(client, room)

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:
        """Take a client out of a room, if it is in it."""
        client = self.namespaces.client(sid, namespace)
        if client is not None:
            self.namespaces.leave(client, room)

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Take everybody out of a room. Raises `ValueError` for a client's own room."""
        self.namespaces.close(namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms of a client, its own among them."""
        client = self.namespaces.client(sid, namespace)
        return [] if client is None else [sid, *(client.rooms or ())]


def _send(client: SocketIOClient, packet: tuple[Any, list[bytes]]) -> None:
    frame, attachments = packet
    client.send(frame)
    for attachment in attachments:
        client.send_bytes(attachment)
