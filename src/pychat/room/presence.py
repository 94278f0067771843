"""Gathers joins, leaves and renames, so that a storm of N joins costs O(N) frames and not O(N²).

Who holds which name, and for how long: `membership`, `connections`.
"""

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
        named: Callable[[], int],
        members: Callable[[], tuple[Member, ...]],
        position: Callable[[], Position],
        listed: int,
        clock: Clock,
    ) -> None:
        """`here` counts the people connected, `named` the members; all four are asked when a notice goes out.

        The members are listed while there are at most `listed` of them, and not asked for beyond.
        """
        self._send = send
        self._here = here
        self._named = named
        self._members = members
        self._position = position
        self._clock = clock
        self._max_listed = listed
        self._listed = True
        # By member: the change, and how many had been noted before the first change of that member.
        self._changes: dict[str, tuple[Joined | Left | Renamed, int]] = {}
        self._noted = 0
        self._welcomed = 0  # changes noted before the newest newcomer, whose welcome told of them
        self._dirty = False
        self._newcomer = False
        self._announced = 0
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
            self._welcomed = self._noted
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
        before, number = self._changes.pop(member.id, (None, self._noted))
        self._noted += 1
        match before, change:
            case Joined(), Left() if number >= self._welcomed:
                return  # came and went between two notices: nobody ever saw
            case Joined(), Renamed():
                change = Joined(member)
            case Left(), Joined():
                change = Renamed(member, before.member.name)
        self._changes[member.id] = change, number

    def _flush(self) -> None:
        if not self._dirty:
            self._timer = None
            return
        self._dirty = False
        here, position = self._here(), self._position()
        self._timer = self._clock.call_later(min(max(_PAUSE, here * _PAUSE_EACH), _LONGEST_PAUSE), self._flush)
        changes, self._changes = [change for change, _ in self._changes.values()], {}
        was_listed, self._listed = self._listed, self._named() <= self._max_listed
        counted = self._newcomer or here != self._announced
        self._newcomer, self._announced = False, here
        if not self._listed:
            self._send(Presence(here, position, counted=counted, listed=False))
        elif not was_listed:
            self._send(Presence(here, position, counted=counted, members=self._members()))
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
