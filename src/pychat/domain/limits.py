"""How much one visitor may do: sizes, and token buckets that are told the time."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pychat.domain.errors import Refused, UsageError

__all__ = ["LOOKED_AT", "SEARCH_COST", "Limits", "TokenBucket", "accept_search"]

#: What is longer than so many times its limit is refused before it is looked at: some work grows faster than its input.
LOOKED_AT = 4
#: Characters of what is searched for. Each of its words is looked for in each message.
_LONGEST_SEARCH = 200
#: Commands that a search counts as: without an index it reads every message that is kept.
SEARCH_COST = 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a room. Rates are a visitor's, counted for each connection."""

    #: The longest nickname, in characters.
    name: int = 32
    #: The longest message, in characters.
    text: int = 2_000
    #: Commands a second that a visitor may keep up; 0 lifts the limit.
    rate: float = 20.0
    #: Commands that a visitor may send at once.
    burst: int = 200
    #: With more names than this in the room, people are counted and no longer listed to everyone.
    listed: int = 250
    #: Messages that a newcomer is shown.
    history: int = 50
    #: Messages that one answer, or one recovery, may hold.
    page: int = 1_000

    def __post_init__(self) -> None:
        """Raise `UsageError` for what cannot be a limit."""
        for name, (least, most) in _RANGES.items():
            value: object = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
                to = f"of {least} or more" if most == math.inf else f"from {least} to {most:,}"
                raise UsageError(f"Limits({name}={value!r}): {name} is a whole number {to}.")
        rate: object = self.rate
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 <= rate < math.inf:
            raise UsageError(f"Limits(rate={rate!r}): rate is a number of commands a second; 0 lifts the limit.")


_RANGES = {
    "name": (1, 1_000),  # preparing a name is quadratic in its length
    "text": (1, math.inf),
    "burst": (1, math.inf),
    "listed": (0, math.inf),
    "history": (0, math.inf),
    "page": (1, math.inf),
}


def accept_search(matching: str) -> str:
    """What is searched for. Raise `Refused` with `bad_request` if it is too long."""
    if len(matching) > _LONGEST_SEARCH:
        raise Refused("bad_request", f"What is searched for has {_LONGEST_SEARCH} characters at most. Search for less.")
    return matching


class TokenBucket:
    """`rate` tokens a second flow in, `burst` fit. Time is given, in seconds of any steady clock."""

    __slots__ = ("_burst", "_level", "_rate", "_then")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = float(burst)
        self._then: float | None = None

    def take(self, now: float, cost: float = 1.0) -> float:
        """Take a token, or `cost` of them: 0.0, or the seconds until there are so many (and none is taken).

        A rate of 0 has no limit. What costs more than fit takes all that fit.
        """
        if not self._rate:
            return 0.0
        if self._then is not None:
            self._level = min(self._burst, self._level + max(0.0, now - self._then) * self._rate)
        self._then = now
        cost = min(cost, self._burst)
        if self._level >= cost:
            self._level -= cost
            return 0.0
        return (cost - self._level) / self._rate
