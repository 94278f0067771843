"""Who is connected to which namespace and in which rooms; joining, leaving and asking cost the same for any number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import socketio
import socketio.packet

from pychat.transports.socketio.client import SocketIOClient, SocketIOSession, encode_packet
from pychat.transports.socketio.packet import Packet

__all__ = ["Manager"]


class Manager(socketio.AsyncManager):
    """python-socketio's client manager with a plain loop for a broadcast, and no lists that are searched.

    `rooms[namespace][room][sid]` is a `SocketIOClient`; the room None is everybody. A client's own room, named after
    it, is not stored. For several processes derive from one of the library's managers and this one:
    `class Ours(socketio.AsyncRedisManager, Manager)`.
    """

    rooms: dict[str, dict[str | None, dict[str, SocketIOClient]]]
    #: What a client is made of; a transport may derive a class of its own.
    client_class: type[SocketIOClient] = SocketIOClient

    def client(self, sid: str | None, namespace: str) -> SocketIOClient | None:
        """The client of that name, from its CONNECT to the end of its `disconnect` handler."""
        try:
            return self.rooms[namespace][None][sid]  # type: ignore[index]
        except KeyError:
            return None

    def targets(self, namespace: str, room: Any) -> Iterable[SocketIOClient]:  # noqa: ANN401 (the library's)
        """Those in a room, or in any of several, each once; in no room (None): everybody."""
        rooms = self.rooms.get(namespace)
        if rooms is None:
            return ()
        if room is None or isinstance(room, str) or not hasattr(room, "__iter__"):
            everybody = rooms[None]
            if room in everybody:
                return (everybody[room],)
            return tuple(rooms.get(room, {}).values())
        found: dict[str, SocketIOClient] = {}
        for one in room:
            found.update((client.sid, client) for client in self.targets(namespace, one))
        return found.values()

    # The library's interface, by its names.

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        """Pairs of client and session."""
        for client in self.targets(namespace, room):
            yield client.sid, client.session.sid

    async def emit(
        self,
        event: str,
        data: Any,  # noqa: ANN401 (JSON)
        namespace: str,
        room: Any = None,  # noqa: ANN401 (the library's)
        skip_sid: Any = None,  # noqa: ANN401 (the library's)
        callback: Any = None,  # noqa: ANN401 (the library's)
        to: Any = None,  # noqa: ANN401 (the library's)
        **_kwargs: object,
    ) -> None:
        """Encode once, then one send for each: no task, no queue, no await.

        Raises `ValueError` for NaN, infinities and lone surrogates, before anything is sent.
        """
        skip = {skip_sid} if isinstance(skip_sid, str) else set(skip_sid or ())
        args = list(data) if isinstance(data, tuple) else [] if data is None else [data]
        targets = [client for client in self.targets(namespace, to or room) if client.sid not in skip]
        if not targets:
            return
        if callback:
            for client in targets:
                id_ = self._generate_ack_id(client.sid, callback)
                self._send(client, Packet(socketio.packet.EVENT, [event, *args], namespace, id_))
            return
        frame, attachments = encode_packet(Packet(socketio.packet.EVENT, [event, *args], namespace))
        if attachments:
            for client in targets:
                client.send(frame)
                for attachment in attachments:
                    client.send_bytes(attachment)
        else:
            for client in targets:
                client.send(frame)

    @staticmethod
    def _send(client: SocketIOClient, packet: Packet) -> None:
        frame, attachments = encode_packet(packet)
        client.send(frame)
        for attachment in attachments:
            client.send_bytes(attachment)

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Take a client in whose `connect` handler has not answered yet; None if it is there already."""
        session: SocketIOSession = self.server.eio.sockets[eio_sid]
        if namespace in session.clients:
            return None
        sid: str = self.server.eio.generate_id()
        client = self.client_class(session, sid, namespace)
        session.clients[namespace] = client
        self.rooms.setdefault(namespace, {None: {}})[None][sid] = client
        return sid

    async def connect(self, sid: str, namespace: str) -> str:
        """The `connect` handler has said yes, and the client knows."""
        client = self.client(sid, namespace)
        if client is not None:
            client.release()
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Whether its `connect` handler is still thinking."""
        client = self.client(sid, namespace)
        return client is not None and client.waiting

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether it is connected, and not on its way out."""
        client = self.client(sid, namespace)
        return client is not None and client.connected

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The client of a session in a namespace."""
        session = self.server.eio.sockets.get(eio_sid)
        client = session.clients.get(namespace) if session is not None else None
        return None if client is None else client.sid

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The session of a client."""
        client = self.client(sid, namespace)
        return None if client is None else client.session.sid

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """It is on its way out: nothing more is sent, but its `disconnect` handler still finds it."""
        client = self.client(sid, namespace)
        if client is None:
            return None
        client.leave()
        return client.session.sid

    def basic_disconnect(self, sid: str, namespace: str, **_kwargs: object) -> None:
        """It has gone."""
        client = self.client(sid, namespace)
        self.callbacks.pop(sid, None)
        if client is None:
            return
        client.leave()
        for room in list(client.rooms or ()):
            self.basic_leave_room(sid, namespace, room)
        client.session.clients.pop(namespace, None)
        rooms = self.rooms[namespace]
        del rooms[None][sid]
        if not rooms[None]:
            del self.rooms[namespace]

    def is_sid_room(self, namespace: str, room: str) -> bool:
        """Whether a room of that name is a client's own."""
        return self.client(room, namespace) is not None

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Put a client into a room. Raises `ValueError` for a client that is not there, or another one's own room."""
        del eio_sid
        client = self.client(sid, namespace)
        if client is None:
            raise ValueError("sid is not connected to requested namespace")
        if sid == room:
            return
        if room is None or self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        client.rooms = client.rooms or set()
        client.rooms.add(room)
        self.rooms[namespace].setdefault(room, {})[sid] = client

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:
        """Take a client out of a room, if it is in it."""
        client = self.client(sid, namespace)
        if client is None or not client.rooms or room not in client.rooms:
            return
        client.rooms.discard(room)
        members = self.rooms[namespace][room]
        del members[sid]
        if not members:
            del self.rooms[namespace][room]

    def basic_close_room(self, room: str, namespace: str) -> None:
        """Take everybody out of a room. Raises `ValueError` for a client's own room."""
        if self.is_sid_room(namespace, room):
            raise ValueError("cannot close a sid room")
        for sid in list(self.rooms.get(namespace, {}).get(room, ())):
            self.basic_leave_room(sid, namespace, room)

    def get_rooms(self, sid: str, namespace: str) -> list[str]:
        """The rooms of a client, its own among them."""
        client = self.client(sid, namespace)
        return [] if client is None else [sid, *(client.rooms or ())]
