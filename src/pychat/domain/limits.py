"""The limits of a room on sizes and rates. The table of the rates is in `rates`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from pychat.domain.errors import Refused, UsageError
from pychat.domain.rates import Rates, accept_rates

__all__ = ["PRECHECK_FACTOR", "Limits", "accept_search"]

#: Input longer than this many times its limit is refused unread, because some checks take more than linear time.
PRECHECK_FACTOR = 4
#: Characters of a search. Each of its words is compared with each message.
_MAX_SEARCH = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a room.

    Rates are counted for each person and for each address, over all connections, rooms and transports: see
    [limits](limits.md).
    """

    #: The longest nickname, in characters.
    name: int = 32
    #: The longest message, in characters.
    text: int = 2_000
    #: Commands a second that a person may send continuously; 0 removes this limit, and all other rates.
    rate: float = 20.0
    #: Commands that a person may send at once.
    burst: int = 200
    #: With more names than this in the room, clients get the number of people instead of the list.
    listed: int = 250
    #: Messages that a new visitor gets.
    history: int = 50
    #: The maximum number of messages in one answer or one recovery.
    page: int = 1_000
    #: Other rates by name, a second and at once: `{"messages": (5, 50)}`.
    rates: Mapping[str, tuple[float, float]] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        """Raise `UsageError` for an invalid limit."""
        for name, (minimum, maximum) in _RANGES.items():
            value: object = getattr(self, name)
            if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
                to = f"of {minimum} or more" if maximum == math.inf else f"from {minimum} to {maximum:,}"
                raise UsageError(f"Limits({name}={value!r}): {name} is a whole number {to}.")
        rate: object = self.rate
        if not isinstance(rate, int | float) or isinstance(rate, bool) or not 0 <= rate < math.inf:
            raise UsageError(f"Limits(rate={rate!r}): rate is a number of commands a second; 0 removes the limit.")
        try:
            object.__setattr__(self, "rates", accept_rates(self.rates))
        except UsageError as error:
            raise UsageError(f"Limits(rates=…): {error}") from None

    @property
    def table(self) -> Rates:
        """All rates."""
        return _table(float(self.rate), float(self.burst), tuple(self.rates.items()))


@lru_cache(1024)
def _table(rate: float, burst: float, rates: tuple[tuple[str, tuple[float, float]], ...]) -> Rates:
    return Rates({"commands": (rate, burst), **dict(rates)})


_RANGES = {
    "name": (1, 1_000),  # the preparation of a name takes quadratic time
    "text": (1, math.inf),
    "burst": (1, math.inf),
    "listed": (0, math.inf),
    "history": (0, math.inf),
    "page": (1, math.inf),
}


def accept_search(matching: str) -> str:
    """Return the words of a search. Raise `Refused` with `bad_request` if they are too long."""
    if len(matching) > _MAX_SEARCH:
        raise Refused("bad_request", f"A search can have {_MAX_SEARCH} characters at most. Use fewer words.")
    return matching
