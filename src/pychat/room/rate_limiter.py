"""Counts what each person and each address does, over all connections, rooms and transports that share it."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from weakref import WeakValueDictionary

from pychat.domain.addresses import address_key
from pychat.domain.errors import Close, Refused
from pychat.domain.log_limit import RateLimitedLogger
from pychat.domain.rates import Charge, Rate, Rates, Usage, take
from pychat.room.clock import Clock

__all__ = ["AddressRate", "RateLimiter", "log_flooding", "too_much"]

_log = RateLimitedLogger(logging.getLogger("pychat.limits"), time.monotonic, lines=2)

_OFTEN = 0.1  # of the refusals that a person may have
_REMEMBERED = 20_000  # persons and addresses that were counted last, beside those that are connected


class RateLimiter:
    """The usage of each person and address. One for the rooms of a mount, and for an IRC server of the same rooms.

    Those who are connected are never forgotten, others when many came after them.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._known = WeakValueDictionary[str, Usage]()
        self._last: OrderedDict[str, Usage] = OrderedDict()

    def __len__(self) -> int:
        return len(self._known)

    def person(self, member_id: str) -> Usage:
        """The usage of a member or user: the same for all of their connections."""
        return self._usage(f"person {member_id}")

    def address(self, address: str) -> Usage | None:
        """The usage of an address. `None` for an empty one, which is a Unix socket: it speaks for many."""
        return self._usage(f"address {address_key(address)}") if address else None

    def is_person(self, member_id: str, usage: Usage) -> None:
        """A guest whose `usage` was counted has got the id of a new member, the first one on their connection."""
        if not usage.key:
            usage.key = f"person {member_id}"
            self._known[usage.key] = usage
            self._remember(usage)

    def spend(
        self, charges: tuple[Charge, ...], person: Usage, address: Usage | None = None, cost: float = 1.0
    ) -> None:
        """Count `cost` times `charges`. Raise `Refused` with `rate_limited` if that is too much."""
        if charges and (wait := take(charges, person, address, self.clock.steady(), cost)):
            raise too_much(wait)
        self.remember(person, address)

    def take(self, rate: Rate, usage: Usage | None, cost: float = 1.0) -> float:
        """Count `cost` and return 0.0; or count nothing, and return the seconds to wait."""
        wait = 0.0 if usage is None else usage.take(rate, self.clock.steady(), cost)
        self.remember(usage)
        return wait

    def is_flooding(self, rates: Rates, person: Usage, address: Usage | None) -> bool:
        """Count a refusal of somebody who was too fast. True if they went on for too long.

        If all at an address are refused too often, only those among them who were refused often are meant.
        """
        now, own = self.clock.steady(), rates["refusals"]
        crowd = address is not None and address.take(rates["address-refusals"], now) > 0
        return person.take(own, now) > 0 or (crowd and person.used(own, now) > _OFTEN)

    def check_flooding(self, rates: Rates, person: Usage) -> None:
        """Raise `Refused` with `flooding` for somebody who was disconnected for that, and came back too soon."""
        own = rates["refusals"]
        wait = person.wait(own, self.clock.steady(), own.burst / 2)
        if wait:
            raise Refused("flooding", Close.FLOODING.text, wait)

    def remember(self, *usages: Usage | None) -> None:
        """Those who used these have gone. They find them again when they come back soon."""
        for usage in usages:
            if usage is not None and usage.key:
                self._remember(usage)

    def _usage(self, key: str) -> Usage:
        usage = self._known.get(key)
        if usage is None:
            usage = self._known[key] = Usage(key)
        self._remember(usage)
        return usage

    def _remember(self, usage: Usage) -> None:
        last, now = self._last, self.clock.steady()
        last[usage.key] = usage
        last.move_to_end(usage.key)
        for _ in range(2):  # so that those who used nothing lately are forgotten faster than others come
            oldest = next(iter(last.values()))
            if oldest is usage or (len(last) <= _REMEMBERED and not oldest.unused(now)):
                break
            last.popitem(last=False)  # not by its key: a guest who is somebody new has another key now


class AddressRate:
    """One rate of addresses, for those who know no rates: how often each may open a connection, for example."""

    def __init__(self, limiter: RateLimiter, rate: Rate) -> None:
        self._limiter = limiter
        self._rate = rate

    def wait(self, address: str) -> float:
        """The seconds until `address` may go on; 0.0 if it may now."""
        usage = self._limiter.address(address) if self._rate.interval else None
        return 0.0 if usage is None else usage.wait(self._rate, self._limiter.clock.steady())

    def count(self, address: str) -> None:
        """Count one more of `address`."""
        if self._rate.interval:
            self._limiter.take(self._rate, self._limiter.address(address))


def log_flooding(address: str) -> None:
    """Log that somebody was disconnected who went on sending after refusals."""
    _log.warning("A client at %s went on sending too much, and was disconnected.", address or "a Unix socket")


def too_much(wait: float, text: str = "That was too much at once.") -> Refused:
    """The refusal of somebody who was too fast, and may go on in `wait` seconds."""
    return Refused("rate_limited", f"{text} Wait {max(wait, 0.1):.1f} seconds.", wait)
