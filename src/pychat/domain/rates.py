"""Rates: how often one person, and one address, may do what. The table of them, and the arithmetic.

The arithmetic is the generic cell rate algorithm (ITU-T I.371): one time for each rate and each person says all that is
to be known of the past. The caller passes the time, in seconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from pychat.domain.errors import UsageError

__all__ = ["CHARGES", "RATES", "Charge", "Rate", "RateKind", "Rates", "Usage", "accept_rates", "parse_rates", "take"]

_ROUNDING = 1e-6  # seconds, for sums of intervals
_HIGHEST = 1e9  # a second, and at once

PERSON, ADDRESS, GUEST = "person", "address", "person, or address of a guest"
CONNECTION, ROOM = "connection", "room"


class RateKind(NamedTuple):
    """One row of the table: the default of a rate, whom it counts for, and what it counts."""

    per_second: float
    burst: float
    by: str
    says: str


#: Every rate by name. A person is a login, or a guest's identity, over all connections, rooms and transports; a guest
#: who has none yet is one connection. Addresses are for crowds: a school with 500 people behind one address is served.
RATES: Mapping[str, RateKind] = MappingProxyType(
    {
        "commands": RateKind(20, 200, PERSON, "every command, and every request that reads or writes"),
        "messages": RateKind(10, 200, PERSON, "messages"),
        "edits": RateKind(5, 100, PERSON, "messages that are edited or deleted"),
        "reactions": RateKind(10, 200, PERSON, "reactions, given or taken away"),
        "renames": RateKind(2, 100, PERSON, "nicknames that are taken or changed"),
        "typing": RateKind(5, 100, PERSON, "signs that somebody is typing"),
        "history": RateKind(10, 200, PERSON, "pages of the history"),
        "searches": RateKind(4, 40, PERSON, "searches"),
        "joins": RateKind(10, 2_000, PERSON, "rooms that are entered"),
        "directs": RateKind(0.1, 30, GUEST, "direct rooms that are opened"),
        "lookups": RateKind(2, 60, GUEST, "looks for rooms that do not exist, or are not for this person"),
        "reports": RateKind(0.1, 10, PERSON, "messages that are reported to the moderators"),
        "bytes": RateKind(64 * 1024, 4 << 20, PERSON, "bytes of texts longer than 256 characters"),
        "refusals": RateKind(10, 200, PERSON, "refusals; beyond it, the connection is closed (4017)"),
        "irc-lines": RateKind(50, 500, PERSON, "lines from IRC clients, of 512 bytes; beyond it, they are read later"),
        "irc-answers": RateKind(500, 5_000, PERSON, "lines of answers to IRC clients; beyond it, they come later"),
        "address-commands": RateKind(400, 8_000, ADDRESS, "the same as `commands`, for all at one address"),
        "address-events": RateKind(100, 2_000, ADDRESS, "messages, edits, reactions, names, signs of typing"),
        "address-history": RateKind(100, 2_000, ADDRESS, "the same as `history`"),
        "address-searches": RateKind(20, 200, ADDRESS, "the same as `searches`"),
        "address-joins": RateKind(200, 10_000, ADDRESS, "the same as `joins`"),
        "address-reports": RateKind(1, 100, ADDRESS, "the same as `reports`"),
        "address-bytes": RateKind(512 * 1024, 32 << 20, ADDRESS, "the same as `bytes`"),
        "address-attempts": RateKind(0.1, 10, ADDRESS, "wrong passwords, invitations, solutions and owner's tokens"),
        "room-attempts": RateKind(1, 60, ROOM, "wrong passwords, of all addresses together"),
        "address-members": RateKind(0.2, 600, ADDRESS, "people who become members by a password or an invitation"),
        "address-asking": RateKind(0.05, 20, ADDRESS, "people who ask the moderators to let them in"),
        "address-refusals": RateKind(200, 4_000, ADDRESS, "the same as `refusals`; beyond it, the worst are closed"),
        "address-irc-lines": RateKind(500, 5_000, ADDRESS, "the same as `irc-lines`"),
        "address-irc-answers": RateKind(2_500, 25_000, ADDRESS, "the same as `irc-answers`"),
        "frames": RateKind(50, 500, CONNECTION, "control frames, empty frames, small fragments; beyond it: 1008"),
        "connects": RateKind(1, 10, CONNECTION, "CONNECTs of a Socket.IO client that has left; beyond it: 4004"),
        "handshakes": RateKind(300, 10_000, ADDRESS, "connections that are opened, on any transport"),
        "requests": RateKind(500, 20_000, ADDRESS, "requests for pages, files and the HTTP API"),
        "rooms": RateKind(1 / 30, 20, ADDRESS, "rooms that visitors make (`pychat serve --rooms open`)"),
    }
)  # fmt: skip

#: What each kind of command counts in, and as how many.
CHARGES: Mapping[str, tuple[tuple[str, float], ...]] = MappingProxyType(
    {
        "command": (("commands", 1), ("address-commands", 1)),
        "message": (("commands", 1), ("messages", 1), ("address-events", 1)),
        "edit": (("commands", 1), ("edits", 1), ("address-events", 1)),
        "reaction": (("commands", 1), ("reactions", 1), ("address-events", 1)),
        "rename": (("commands", 1), ("renames", 1), ("address-events", 1)),
        "typing": (("commands", 1), ("typing", 1), ("address-events", 1)),
        "history": (("commands", 1), ("history", 1), ("address-history", 1)),
        "search": (("commands", 5), ("searches", 1), ("address-searches", 1)),
        "direct": (("commands", 4), ("address-commands", 4)),
        "join": (("joins", 1), ("address-joins", 1)),
        "report": (("commands", 1), ("reports", 1), ("address-reports", 1)),
        "bytes": (("bytes", 1), ("address-bytes", 1)),
        "irc-line": (("irc-lines", 1), ("address-irc-lines", 1)),
        "irc-answer": (("irc-answers", 1), ("address-irc-answers", 1)),
        "request": (("requests", 1),),
        "handshake": (("handshakes", 1),),
    }
)


class Rate:
    """`per_second` continuously, and `burst` at once. Equal ones are one object: see `Rates`."""

    __slots__ = ("burst", "interval", "name", "of_address", "per_second", "tolerance")

    def __init__(self, name: str, per_second: float, burst: float) -> None:
        self.name = name
        self.per_second = per_second
        self.burst = burst
        self.of_address = RATES[name].by == ADDRESS
        #: Seconds for one; 0 if there is no limit.
        self.interval = 1 / per_second if per_second else 0.0
        #: Seconds for `burst`.
        self.tolerance = burst * self.interval

    def __repr__(self) -> str:
        return f"{self.name}={self.per_second:g}/{self.burst:g}"


#: A rate, and as how many of it something counts.
Charge = tuple[Rate, float]
_rate = lru_cache(4096)(Rate)


class Usage:
    """What one person, or one address, has used of each rate."""

    __slots__ = ("__weakref__", "key", "times")

    def __init__(self, key: str = "") -> None:
        #: Whose it is; empty for a guest who has no identity yet.
        self.key = key
        #: For each rate the time at which nothing of it will be used any more.
        self.times: dict[Rate, float] = {}

    def take(self, rate: Rate, now: float, cost: float = 1.0) -> float:
        """Count `cost` and return 0.0. If that is too much, count nothing and return the seconds to wait.

        A cost above `burst` counts as `burst`. If the clock was set back, the rate is at most used up.
        """
        until = self._after(rate, now, cost)
        wait = until - now - rate.tolerance
        if wait > _ROUNDING:
            return wait
        if rate.interval:
            self.times[rate] = until
        return 0.0

    def wait(self, rate: Rate, now: float, cost: float = 1.0) -> float:
        """The seconds to wait before `take` succeeds; 0.0 if it would now. Counts nothing."""
        wait = self._after(rate, now, cost) - now - rate.tolerance
        return wait if wait > _ROUNDING else 0.0

    def used(self, rate: Rate, now: float) -> float:
        """How much of `burst` is used up now, from 0 to 1."""
        return (self._after(rate, now, 0.0) - now) / rate.tolerance if rate.interval else 0.0

    def unused(self, now: float) -> bool:
        """True if all of every rate is free: it would make no difference to forget this."""
        return all(until <= now for until in self.times.values())

    def _after(self, rate: Rate, now: float, cost: float) -> float:
        until = self.times.get(rate, now)
        if until < now:
            until = now
        elif until - now > rate.tolerance:
            until = now + rate.tolerance
        return until + min(cost, rate.burst) * rate.interval


def take(charges: Iterable[Charge], person: Usage, address: Usage | None, now: float, cost: float = 1.0) -> float:
    """Count `cost` times what `charges` say, and return 0.0. If one is too much, count nothing; return the wait.

    This is the hot path: each message comes here.
    """
    longest = 0.0
    for rate, each in charges:
        usage = address if rate.of_address else person
        if usage is None:
            continue
        tolerance, times = rate.tolerance, usage.times
        until = times.get(rate, now)
        if until < now:
            until = now
        elif until - now > tolerance:
            until = now + tolerance
        until += (each if cost == 1.0 else min(each * cost, rate.burst)) * rate.interval
        if until - now - tolerance > longest + _ROUNDING:
            longest = until - now - tolerance
        times[rate] = until
    if longest:
        for rate, each in charges:
            usage = address if rate.of_address else person
            if usage is not None:
                usage.times[rate] -= min(each * cost, rate.burst) * rate.interval
    return longest


class Rates:
    """The rates of a room, or of a mount, after its settings."""

    __slots__ = ("_rates", "charges")

    def __init__(self, given: Mapping[str, tuple[float, float]]) -> None:
        """`given` are those that differ from `RATES`. If `commands` has no limit, nothing has one."""
        off = not given.get("commands", RATES["commands"])[0]
        self._rates = {
            name: _rate(name, *((0.0, 1.0) if off else given.get(name, (kind.per_second, kind.burst))))
            for name, kind in RATES.items()
        }
        #: By kind: what counts, without the rates that have no limit.
        self.charges: Mapping[str, tuple[Charge, ...]] = {
            kind: tuple((rate, min(cost, rate.burst)) for rate, cost in self._priced(parts) if rate.interval)
            for kind, parts in CHARGES.items()
        }

    def __getitem__(self, name: str) -> Rate:
        """The rate of that name."""
        return self._rates[name]

    def _priced(self, parts: Iterable[tuple[str, float]]) -> Iterable[Charge]:
        return ((self._rates[name], cost) for name, cost in parts)


def accept_rates(given: Mapping[str, tuple[float, float]]) -> dict[str, tuple[float, float]]:
    """Return rates by name: a second, and at once. Raise `UsageError` for those that cannot be."""
    accepted: dict[str, tuple[float, float]] = {}
    for name, rate in dict(given).items():
        if name not in RATES:
            raise UsageError(f"{name!r} is not a rate. The rates are {', '.join(RATES)}.")
        try:
            per_second, burst = (float(each) for each in rate)
        except (TypeError, ValueError):
            per_second = burst = math.nan
        if not 0 <= per_second <= _HIGHEST or not 1 <= burst <= _HIGHEST:
            raise UsageError(
                f"{name}={rate!r}: a rate is a number a second, and 1 or more at once; 0 a second removes it."
            )
        accepted[name] = per_second, burst
    return accepted


def parse_rates(texts: Iterable[str]) -> dict[str, tuple[float, float]]:
    """Read rates as they are on a command line: `messages=5/50`. Raise `UsageError` for anything else."""
    found: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, _, rate = text.partition("=")
        per_second, _, burst = rate.partition("/")
        try:
            found |= accept_rates({name: (float(per_second), float(burst))})
        except ValueError:
            example = name if name in RATES else "messages"
            raise UsageError(
                f"{text!r} is not a rate: write {example}=5/50 for 5 a second and 50 at once, or {example}=0/1 for no"
                " limit."
            ) from None
    return found
