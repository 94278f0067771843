"""Slow mode: how long somebody waits before they may write the next message."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Pace"]

_MAX_KEPT = 10_000  # people who wrote last


class Pace:
    """The last message of each person who wrote lately, on any server of the room."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: dict[str, tuple[float, str, str]] = {}  # member id or network -> when, whose, the message's id

    def wait(
        self,
        seconds: float,
        now: float,
        member_id: str,
        message_id: str,
        network: str | None,
        is_here: Callable[[str], bool],
    ) -> float:
        """The seconds that this member has to wait; 0.0 if they may write now, or if they repeat their last message.

        A guest whose `network` was used last by somebody who has gone meanwhile waits as that one would.
        """
        last = self._last.get(member_id)
        if last is None and network is not None:
            last = self._last.get(network)
            if last is not None and is_here(last[1]):
                return 0.0
        if last is None or (last[1] == member_id and last[2] == message_id):
            return 0.0
        return max(0.0, last[0] + seconds - now)

    def note(self, seconds: float, now: float, member_id: str, message_id: str, network: str | None = None) -> None:
        """A message is written now. Forget those who need not wait any more."""
        for key in (member_id,) if network is None else (member_id, network):
            self._last.pop(key, None)
            self._last[key] = now, member_id, message_id
        while self._last:
            oldest = next(iter(self._last))
            if len(self._last) <= _MAX_KEPT and self._last[oldest][0] + seconds > now:
                break
            del self._last[oldest]

    def forget(self, member_id: str, message_id: str) -> None:
        """The message was refused."""
        if self._last.get(member_id, ("", "", ""))[2] == message_id:
            del self._last[member_id]
