"""Who is connected to which namespace and in which rooms; joining, leaving and asking cost the same for any number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import socketio
import socketio.packet

from pychat.transports.socketio.client import SocketIOClient, encode_packet
from pychat.transports.socketio.packet import Packet

if TYPE_CHECKING:
    from pychat.transports.socketio.engineio.socket import Session

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

    def wire(self, sid: str | None, namespace: str) -> SocketIOClient | None:
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
            found.update((wire.sid, wire) for wire in self.targets(namespace, one))
        return found.values()

    # The library's interface, by its names.

    def get_participants(self, namespace: str, room: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401
        """Pairs of client and session."""
        for wire in self.targets(namespace, room):
            yield wire.sid, wire.session.sid

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
        targets = [wire for wire in self.targets(namespace, to or room) if wire.sid not in skip]
        if not targets:
            return
        if callback:
            for wire in targets:
                id_ = self._generate_ack_id(wire.sid, callback)
                self._send(wire, Packet(socketio.packet.EVENT, [event, *args], namespace, id_))
            return
        frame, attachments = encode_packet(Packet(socketio.packet.EVENT, [event, *args], namespace))
        if attachments:
            for wire in targets:
                wire.send(frame)
                for attachment in attachments:
                    wire.send_bytes(attachment)
        else:
            for wire in targets:
                wire.send(frame)

    @staticmethod
    def _send(wire: SocketIOClient, packet: Packet) -> None:
        frame, attachments = encode_packet(packet)
        wire.send(frame)
        for attachment in attachments:
            wire.send_bytes(attachment)

    async def pre_connect(self, eio_sid: str, namespace: str) -> str | None:
        """Take a client in whose `connect` handler has not answered yet; None if it is there already."""
        session: Session = self.server.eio.sockets[eio_sid]
        if namespace in session.wires:
            return None
        sid: str = self.server.eio.generate_id()
        wire = self.client_class(session, sid, namespace)
        session.wires[namespace] = wire
        self.rooms.setdefault(namespace, {None: {}})[None][sid] = wire
        return sid

    async def connect(self, sid: str, namespace: str) -> str:
        """The `connect` handler has said yes, and the client knows."""
        wire = self.wire(sid, namespace)
        if wire is not None:
            wire.release()
        return sid

    def is_pre_connected(self, sid: str, namespace: str) -> bool:
        """Whether its `connect` handler is still thinking."""
        wire = self.wire(sid, namespace)
        return wire is not None and wire.waiting

    def is_connected(self, sid: str | None, namespace: str) -> bool:
        """Whether it is connected, and not on its way out."""
        wire = self.wire(sid, namespace)
        return wire is not None and wire.connected

    def sid_from_eio_sid(self, eio_sid: str, namespace: str) -> str | None:
        """The client of a session in a namespace."""
        session = self.server.eio.sockets.get(eio_sid)
        wire = session.wires.get(namespace) if session is not None else None
        return None if wire is None else wire.sid

    def eio_sid_from_sid(self, sid: str, namespace: str) -> str | None:
        """The session of a client."""
        wire = self.wire(sid, namespace)
        return None if wire is None else wire.session.sid

    def pre_disconnect(self, sid: str, namespace: str) -> str | None:
        """It is on its way out: nothing more is sent, but its `disconnect` handler still finds it."""
        wire = self.wire(sid, namespace)
        if wire is None:
            return None
        wire.leave()
        return wire.session.sid

    def basic_disconnect(self, sid: str, namespace: str, **_kwargs: object) -> None:
        """It has gone."""
        wire = self.wire(sid, namespace)
        self.callbacks.pop(sid, None)
        if wire is None:
            return
        wire.leave()
        for room in list(wire.rooms or ()):
            self.basic_leave_room(sid, namespace, room)
        wire.session.wires.pop(namespace, None)
        rooms = self.rooms[namespace]
        del rooms[None][sid]
        if not rooms[None]:
            del self.rooms[namespace]

    def is_sid_room(self, namespace: str, room: str) -> bool:
        """Whether a room of that name is a client's own."""
        return self.wire(room, namespace) is not None

    def basic_enter_room(self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None) -> None:
        """Put a client into a room. Raises `ValueError` for a client that is not there, or another one's own room."""
        del eio_sid
        wire = self.wire(sid, namespace)
        if wire is None:
            raise ValueError("sid is not connected to requested namespace")
        if sid == room:
            return
        if room is None or self.is_sid_room(namespace, room):
            raise ValueError("cannot enter a sid room")
        wire.rooms = wire.rooms or set()
        wire.rooms.add(room)
        self.rooms[namespace].setdefault(room, {})[sid] = wire

    def basic_leave_room(self, sid: str, namespace: str, room: str) -> None:
        """Take a client out of a room, if it is in it."""
        wire = self.wire(sid, namespace)
        if wire is None or not wire.rooms or room not in wire.rooms:
            return
        wire.rooms.discard(room)
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
        wire = self.wire(sid, namespace)
        return [] if wire is None else [sid, *(wire.rooms or ())]
