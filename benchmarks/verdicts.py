"""The targets that pychat set itself, and whether what was found meets them."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from benchmarks.cells import CELLS, FLIGHTS, JOINED, MEMBERS
from benchmarks.found import Found
from benchmarks.many_rooms import ROOMS
from benchmarks.open_rooms import LEFT, OPEN, room_kib

__all__ = ["Verdict", "quarters", "verdicts"]

#: What is the target, what was wanted, what was found, and whether that meets it.
Verdict = tuple[str, str, str, bool]

# How many times less processor than the peer, with 1, 4 and 32 messages in flight.
_CHEAPER = {"node": (1.5, 4.0, 15.0), "uws": (0.7, 1.0, 1.0)}
_NAMES = {"node": "Node", "uws": "uWebSockets"}
# The most that the p99 may be of Node's.
_P99 = (1.0, 0.5, 0.1)
_FLAT = 1.25


def _least(what: str, wanted: Sequence[float], ratios: Sequence[float | None]) -> Iterator[Verdict]:
    found = [ratio for ratio in ratios if ratio is not None]
    if len(found) == len(wanted):
        met = all(ratio >= want for ratio, want in zip(found, wanted, strict=True))
        yield what, "≥ " + ", ".join(f"{each:g}×" for each in wanted), ", ".join(f"{each:.2f}×" for each in found), met


def _most(what: str, wanted: Sequence[float], shares: Sequence[float | None]) -> Iterator[Verdict]:
    found = [share for share in shares if share is not None]
    if len(found) == len(wanted):
        met = all(share <= want for share, want in zip(found, wanted, strict=True))
        yield what, "≤ " + ", ".join(f"{each:g}" for each in wanted), ", ".join(f"{each:.2f}" for each in found), met


def _share(ratio: float | None) -> float | None:
    return None if not ratio else 1 / ratio


def _talk(found: Found) -> Iterator[Verdict]:
    labels = [f"flight {flight}" for flight in FLIGHTS]
    ways = [("talk", "pychat", ""), ("talk", "sqlite", ", `sqlite:`")]
    ways += [(cell, "pychat", "") for cell in ("crowd", "senders", "texts", "rooms")]
    for cell, server, more in ways:
        for peer, wanted in _CHEAPER.items():
            ratios = [found.ratio(cell, label, "cpu_us", peer, server) for label in labels]
            title = f"{CELLS[cell].title}{more}: processor, to {_NAMES[peer]}; 1, 4, 32 in flight"
            yield from _least(title, wanted, ratios)
        if cell == "talk":
            shares = [_share(found.ratio(cell, label, "p99", "node", server)) for label in labels]
            yield from _most(f"{CELLS[cell].title}{more}: p99 to Node's; 1, 4, 32 in flight", _P99, shares)
    at_rate = [_share(found.ratio("talk", "rate", field, "node")) for field in ("p50", "p99")]
    yield from _most("1,000 members, 20 a second: p50, p99 to Node's", (1.0, 1.0), at_rate)


def _memory(found: Found, server: str) -> float | None:
    full, alone = (found.median("crowd", server, label, "memory_kib") for label in (f"idle {MEMBERS[-1]}", "alone"))
    return full - alone if full and alone else None


def _connecting(found: Found) -> Iterator[Verdict]:
    ours, theirs = _memory(found, "pychat"), _memory(found, "node")
    yield from _most(
        "memory of an idle connection of 8,000, to Node's", (1.0,), (ours / theirs if ours and theirs else None,)
    )
    steps = [f"connect {members}" for members in MEMBERS[1:]]
    shares = [_share(found.ratio("crowd", label, "cpu_us", "node")) for label in steps]
    yield from _most("a new connection up to 1,000, 2,000, 4,000, 8,000, to Node's", (0.5,) * len(steps), shares)
    first, last = (found.median("crowd", "pychat", label, "cpu_us") for label in (steps[0], steps[-1]))
    yield from _most("the same: the last to the first (flat)", (_FLAT,), (last / first if first and last else None,))


def quarters(found: Found, server: str) -> tuple[float | None, float | None]:
    """What it costs to connect and take a name in the first quarter of those who come, and in the last."""
    each = [found.median("joins", server, f"joined {count}", "cpu_us") for count in JOINED]
    known = [one for one in each if one is not None]
    if len(known) < len(JOINED):
        return None, None
    quarter = len(known) // 4
    return statistics.mean(known[:quarter]), statistics.mean(known[-quarter:])


def _joining(found: Found) -> Iterator[Verdict]:
    first, last = quarters(found, "pychat")
    yield from _most(
        "16,000 come and take a name: the last quarter to the first (flat)",
        (_FLAT,),
        (last / first if first and last else None,),
    )
    shares = [_share(found.ratio("joins", f"joined {count}", "cpu_us", "node")) for count in JOINED]
    largest = max((share for share in shares if share is not None), default=None)
    yield from _most("the same: to Node's, where it is the most", (1.0,), (largest,))


def _crowds(found: Found) -> Iterator[Verdict]:
    entered, right = (found.median("storm", "pychat", "storm", field) for field in ("entered", "right_after"))
    if entered is not None and right is not None:
        shown = f"{entered:,.0f}, " + ("never" if right < 0 else f"{right:.2f} s")
        yield "a storm: all of 5,000 let in, the count right at all after", "5,000, ≤ 1 s", shown, 0 <= right <= 1
    before, with_them = (found.median("slow", "pychat", label, "p99") for label in ("before", "stalled"))
    share = with_them / before if with_them and before else None
    yield from _most("50 of 1,000 do not read: p99 of the others, to before", (_FLAT,), (share,))
    memory = [
        found.median("slow", "pychat", label, field)
        for label, field in (("before, loaded", "memory_kib"), ("stalled, loaded", "peak_kib"))
    ]
    if memory[0] and memory[1]:
        yield from _most("the same: memory that they take, MiB each", (1.0,), ((memory[1] - memory[0]) / 1024 / 50,))
    closed, code, back = (found.median("slow", "pychat", "resumed", each) for each in ("closed", "code", "caught_up"))
    if closed is not None:
        shown = f"{closed:.0f}, {code:.0f}, {back:.0f}"
        yield "the same: closed, code, caught up on their return", "50, 4001, 50", shown, shown == "50, 4001, 50"
    inflated = found.median("deflate", "pychat", "flight 4", "inflated")
    if inflated is not None:
        yield "frames compressed for each member", "0", f"{inflated:.0f}", not inflated


def verdicts(found: Found) -> Iterator[Verdict]:
    """Each target of which everything was measured."""
    yield from _talk(found)
    yield from _connecting(found)
    yield from _joining(found)
    yield from _crowds(found)
    entered = found.median("many_rooms", "pychat", f"{ROOMS}", "enter")
    if entered:
        yield f"one connection enters {ROOMS} rooms after a drop", "≤ 100 ms", f"{entered:.0f} ms", entered <= 100
    each, left = room_kib(found), found.median("open_rooms", "pychat", "left", "bytes")
    if each is not None:
        title = f"{OPEN:,} rooms open with one member each: memory beside the connection, KiB a room"
        yield title, "≤ 6", f"{each:.1f}", each <= 6
    if left is not None:
        yield f"{LEFT:,} rooms opened and left: bytes that remain of each", "≤ 100", f"{left:.0f}", left <= 100
    busy, rate, seconds = (
        found.median("generator", "gathered", "many", field) for field in ("busy", "deliveries", "seconds")
    )
    if busy and rate and seconds:
        speed = rate / seconds
        shown = f"{speed / 1e6:.1f} million/s, {busy:.0%}"
        yield "the load generator, and how busy it is", "1 million/s, ≤ 90%", shown, speed >= 1e6 and busy <= 0.9
