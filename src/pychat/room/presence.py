"""Presence: gathers who comes, goes and changes names, so that a storm of N joins costs O(N) frames and not O(N²)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pychat.domain.model import Away, Joined, Left, Member, Position, Renamed
from pychat.domain.notices import Presence
from pychat.room.clock import Clock, Timer

__all__ = ["PresenceGatherer"]

_PAUSE = 0.2  # seconds between two notices, and so the longest that anybody waits for a right count
_PAUSE_EACH = 0.0002  # seconds of it for each receiver, whom it takes 0.00001 to tell
_LONGEST_PAUSE = 0.8


class PresenceGatherer:
    """Turns changes into `Presence` notices: the first after quiet at once, then one each 0.2 s at the most.

    In a crowd of more than 1,000 the pause grows, up to 0.8 s, or a storm of joins would tell everybody of itself.
    """

    def __init__(
        self,
        send: Callable[[Presence], None],
        *,
        here: Callable[[], int],
        members: Callable[[], tuple[Member, ...]],
        position: Callable[[], Position],
        listed: int,
        clock: Clock,
    ) -> None:
        """`here`, `members` and `position` are asked when a notice goes out.

        Beyond `listed` members nobody is listed.
        """
        self._send = send
        self._here = here
        self._members = members
        self._position = position
        self._clock = clock
        self._most = listed
        self._listed = True
        self._changes: dict[str, Joined | Left | Renamed] = {}
        self._welcomed: set[str] = set()  # of whose changes a newcomer was told in the welcome, before everyone else
        self._dirty = False
        self._newcomer = False
        self._told = 0
        self._timer: Timer | None = None
        self._stopped = False

    @property
    def listed(self) -> bool:
        """Whether people are listed to everyone just now."""
        return self._listed

    def note(self, change: Joined | Away | Left | Renamed | None = None, *, newcomer: bool = False) -> None:
        """Something changed: somebody's name, or (without `change`) perhaps the number of people connected."""
        self._dirty = True
        if newcomer:
            self._newcomer = True
            self._welcomed.update(self._changes)
        if change is not None:
            self._gather(Left(change.member) if isinstance(change, Away) else change)
        if self._timer is None and not self._stopped:
            self._timer = asyncio.get_running_loop().call_soon(self._flush)

    def stop(self) -> None:
        """Send nothing more."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def _gather(self, change: Joined | Left | Renamed) -> None:
        member = change.member
        before = self._changes.pop(member.id, None)
        match before, change:
            case Joined(), Left() if member.id not in self._welcomed:
                return  # came and went between two notices: nobody ever saw
            case Joined(), Renamed():
                self._changes[member.id] = Joined(member)
            case Left(), Joined():
                self._changes[member.id] = Renamed(member, before.member.name)
            case _:
                self._changes[member.id] = change

    def _flush(self) -> None:
        if not self._dirty:
            self._timer = None
            return
        self._dirty = False
        here, position = self._here(), self._position()
        self._timer = self._clock.call_later(min(max(_PAUSE, here * _PAUSE_EACH), _LONGEST_PAUSE), self._flush)
        changes, self._changes = self._changes.values(), {}
        self._welcomed.clear()
        members = self._members()
        was_listed, self._listed = self._listed, len(members) <= self._most
        counted = self._newcomer or here != self._told
        self._newcomer, self._told = False, here
        if not self._listed:
            self._send(Presence(here, position, counted=counted, listed=False))
        elif not was_listed:
            self._send(Presence(here, position, counted=counted, members=members))
        else:
            self._send(
                Presence(
                    here,
                    position,
                    counted=counted,
                    joined=tuple(change.member for change in changes if isinstance(change, Joined)),
                    left=tuple(change.member for change in changes if isinstance(change, Left)),
                    renamed=tuple(change.member for change in changes if isinstance(change, Renamed)),
                )
            )
