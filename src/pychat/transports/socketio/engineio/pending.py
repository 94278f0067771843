"""Limits sockets that have not connected to a namespace: by address, in total, and in time."""

from __future__ import annotations

from collections.abc import Callable

from pychat.net.addresses import AddressLimiter
from pychat.net.deadlines import Deadlines
from pychat.transports.socketio.engineio.socket import EngineIOSocket

__all__ = ["Pending"]


class Pending:
    """Counts pending sockets by address, and calls `due(socket)` for one that is still pending after `seconds`."""

    __slots__ = ("_deadlines", "_due", "_limits")

    def __init__(self, seconds: float, limits: AddressLimiter, due: Callable[[EngineIOSocket], None]) -> None:
        self._deadlines = Deadlines[EngineIOSocket](seconds, self._late)
        self._limits = limits
        self._due = due

    def __len__(self) -> int:
        return len(self._limits)

    def __contains__(self, socket: EngineIOSocket) -> bool:
        return socket in self._deadlines

    def start(self, socket: EngineIOSocket) -> None:
        """It is pending from now on."""
        if socket not in self._deadlines:
            self._limits.add(socket.remote)
        self._deadlines.start(socket)

    def stop(self, socket: EngineIOSocket) -> bool:
        """It is pending no more; true if it was."""
        was = self._deadlines.stop(socket)
        if was:
            self._limits.release(socket.remote)
        return was

    def clear(self) -> None:
        """Stop all deadlines. Pending sockets stay counted, for the server goes."""
        self._deadlines.clear()

    def _late(self, socket: EngineIOSocket) -> None:
        self._limits.release(socket.remote)
        self._due(socket)
