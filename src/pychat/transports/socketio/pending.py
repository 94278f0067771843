"""Sessions that are CONNECTed to no namespace: few of one address, few in all, and none for long."""

from __future__ import annotations

from collections.abc import Callable

from pychat.net.deadlines import Deadlines
from pychat.net.http.addresses import AddressLimiter
from pychat.transports.socketio.engineio.socket import Session

__all__ = ["Pending"]


class Pending:
    """Counts pending sessions by address, and calls `due(session)` for one that is still pending after `seconds`."""

    __slots__ = ("_deadlines", "_due", "_limits")

    def __init__(self, seconds: float, limits: AddressLimiter, due: Callable[[Session], None]) -> None:
        self._deadlines = Deadlines[Session](seconds, self._late)
        self._limits = limits
        self._due = due

    def __len__(self) -> int:
        return len(self._limits)

    def __contains__(self, session: Session) -> bool:
        return session in self._deadlines

    def allows(self, remote: str) -> bool:
        """Whether one more session of this address may be pending."""
        return self._limits.allows(remote)

    def start(self, session: Session) -> None:
        """It is pending from now on."""
        if session not in self._deadlines:
            self._limits.add(session.remote)
        self._deadlines.start(session)

    def stop(self, session: Session) -> bool:
        """It is pending no more; whether it was."""
        was = self._deadlines.stop(session)
        if was:
            self._limits.release(session.remote)
        return was

    def clear(self) -> None:
        """Wait for nobody any more; whoever was pending stays counted, for the server goes."""
        self._deadlines.clear()

    def _late(self, session: Session) -> None:
        self._limits.release(session.remote)
        self._due(session)
