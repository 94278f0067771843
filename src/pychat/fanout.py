"""Fan-out: one notice to every connection of this process, encoded once a wire; nobody waits for anybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pychat.connection import Connection, Wire

__all__ = ["Fanout"]


class Fanout:
    """The connections of a room in this process, grouped by wire."""

    def __init__(self) -> None:
        self._groups: dict[Wire, dict[Connection, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __iter__(self) -> Iterator[Connection]:
        for group in list(self._groups.values()):
            yield from list(group)

    def add(self, connection: Connection) -> None:
        """Let `connection` hear what follows."""
        self._groups.setdefault(connection.wire, {})[connection] = None

    def discard(self, connection: Connection) -> None:
        """Forget `connection`, if it is known."""
        group = self._groups.get(connection.wire)
        if group is not None:
            group.pop(connection, None)
            if not group:
                del self._groups[connection.wire]

    def send(self, encode: Callable[[Wire], object], *, skip: Connection | None = None) -> None:
        """Send what `encode` makes for each wire to everyone but `skip`; for `None`, that wire is told nothing.

        Plain calls in a plain loop: nothing can come between two receivers.
        """
        for wire, group in list(self._groups.items()):
            frame = encode(wire)
            if frame is None:
                continue
            for connection in tuple(group):
                if connection is not skip:
                    connection.send(frame)
