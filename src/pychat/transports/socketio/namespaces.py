"""The clients of each namespace and of its rooms. Every operation takes the same time for any number of clients."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pychat.transports.socketio.client import ClientSession, SocketIOClient
from pychat.transports.socketio.engineio.sockets import new_id

__all__ = ["Namespaces"]


class Namespaces:
    """The clients of a server. `rooms[namespace][room][sid]` is a client; the room None is everybody.

    A client's own room, named after it, is not stored.
    """

    def __init__(self) -> None:
        self.rooms: dict[str, dict[str | None, dict[str, SocketIOClient]]] = {}
        #: What a client is made of; a transport may derive a class of its own.
        self.client_class: type[SocketIOClient] = SocketIOClient

    def add(self, session: ClientSession, namespace: str) -> SocketIOClient:
        """A new client, whose `connect` handler has not answered yet."""
        client = self.client_class(session, new_id(), namespace)
        session.clients[namespace] = client
        self.rooms.setdefault(namespace, {None: {}})[None][client.sid] = client
        return client

    def remove(self, client: SocketIOClient) -> None:
        """Remove a client; nothing more is sent to it. A no-op for one that was removed."""
        client.leave()
        for room in list(client.rooms or ()):
            self.leave(client, room)
        client.session.clients.pop(client.namespace, None)
        rooms = self.rooms.get(client.namespace, {None: {}})
        rooms[None].pop(client.sid, None)
        if not rooms[None]:
            self.rooms.pop(client.namespace, None)

    def client(self, sid: str | None, namespace: str) -> SocketIOClient | None:
        """The client of that name, from its CONNECT to the end of its `disconnect` handler."""
        rooms = self.rooms.get(namespace)
        return None if rooms is None or sid is None else rooms[None].get(sid)

    def targets(self, namespace: str, room: Any) -> Iterable[SocketIOClient]:  # noqa: ANN401 (the library's)
        """The clients in a room, or in any of several, each once; in no room (None): everybody."""
        rooms = self.rooms.get(namespace)
        if rooms is None:
            return ()
        if room is None or isinstance(room, str) or not isinstance(room, Iterable):
            everybody = rooms[None]
            if room in everybody:
                return (everybody[room],)
            return tuple(rooms.get(room, {}).values())
        found: dict[str, SocketIOClient] = {}
        for one in room:
            found.update((client.sid, client) for client in self.targets(namespace, one))
        return found.values()

    def enter(self, client: SocketIOClient, room: str | None) -> None:
        """Put a client into a room. Raises `ValueError` for the room of another client, and of everybody."""
        if client.sid == room:
            return
        if room is None or self.client(room, client.namespace) is not None:
            raise ValueError("cannot enter a sid room")
        client.rooms = client.rooms or set()
        client.rooms.add(room)
        self.rooms[client.namespace].setdefault(room, {})[client.sid] = client

    def leave(self, client: SocketIOClient, room: str) -> None:
        """Take a client out of a room, if it is in it."""
        if not client.rooms or room not in client.rooms:
            return
        client.rooms.discard(room)
        members = self.rooms[client.namespace][room]
        del members[client.sid]
        if not members:
            del self.rooms[client.namespace][room]

    def close(self, namespace: str, room: str) -> None:
        """Take everybody out of a room. Raises `ValueError` for a client's own room."""
        if self.client(room, namespace) is not None:
            raise ValueError("cannot close a sid room")
        for client in list(self.rooms.get(namespace, {}).get(room, {}).values()):
            self.leave(client, room)
