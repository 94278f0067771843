"""What was found, as tables in Markdown: they are printed, and stand in the documentation."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import pairwise

from benchmarks.cells import CELLS, FLIGHTS, JOINED, MEMBERS
from benchmarks.found import Found
from benchmarks.many_rooms import ROOMS
from benchmarks.redis import READERS
from benchmarks.servers import SERVERS
from benchmarks.stored_rooms import FOLLOWED
from benchmarks.verdicts import quarters, verdicts

__all__ = ["TABLES"]


def _number(value: float | None, unit: str = "") -> str:
    """With as many digits as mean something."""
    if value is None:
        return "–"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{unit}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]], figures: int) -> str:
    # A row is left out if all its last cells, so many, are empty.
    shown = [row for row in map(list, rows) if any(re.search(r"[1-9]", cell) for cell in row[len(row) - figures :])]
    cells = [list(head), *shown]
    if not shown:
        return ""
    return "\n".join(
        [
            "| " + " | ".join(cells[0]) + " |",
            "|" + "---|" * len(cells[0]),
            *(f"| {' | '.join(row)} |" for row in cells[1:]),
        ]
    )


def where(found: Found) -> str:
    """The machine and the versions."""
    return f"{found.machine}. Server on one core, load generator on the other; medians of {found.rounds} rounds."


def cost(found: Found) -> str:
    """The server's processor for a delivery, at 1,000 members."""
    head = ["µs of CPU for a delivery", *(f"{flight} in flight" for flight in FLIGHTS), "20 a second"]
    labels = [*(f"flight {flight}" for flight in FLIGHTS), "rate"]
    rows = (
        [SERVERS[name].title, *(_number(found.median("talk", name, label, "cpu_us")) for label in labels)]
        for name in CELLS["talk"].servers
    )
    return _table(head, rows, 4)


def latency(found: Found) -> str:
    """From sending to each member's having it, at 1,000 members."""
    head = ["ms, p50 / p99", *(f"{flight} in flight" for flight in FLIGHTS), "20 a second"]
    labels = [*(f"flight {flight}" for flight in FLIGHTS), "rate"]
    rows = (
        [
            SERVERS[name].title,
            *(
                " / ".join(_number(found.median("talk", name, label, field)) for field in ("p50", "p99"))
                for label in labels
            ),
        ]
        for name in CELLS["talk"].servers
    )
    return _table(head, rows, 4)


def goals(found: Found) -> str:
    """How pychat stands to its peers in each way of use."""
    head = ["", "in flight", "µs for a delivery", "to Node", "to uWebSockets", "p99, ms", "Node's p99", "uWebSockets'"]
    ways = [("talk", "pychat", ""), ("talk", "sqlite", ", `sqlite:`")]
    ways += [(cell, "pychat", "") for cell in ("crowd", "senders", "texts", "rooms")]
    rows = []
    for cell, server, more in ways:
        for flight in FLIGHTS:
            label = f"flight {flight}"
            rows.append(
                [
                    f"{CELLS[cell].title}{more}",
                    str(flight),
                    _number(found.median(cell, server, label, "cpu_us")),
                    *(_number(found.ratio(cell, label, "cpu_us", peer, server), "×") for peer in ("node", "uws")),
                    *(_number(found.median(cell, name, label, "p99")) for name in (server, "node", "uws")),
                ]
            )
    return _table(head, rows, 6)


def connections(found: Found) -> str:
    """What a connection takes: memory while idle, processor to be made."""
    steps = list(pairwise(MEMBERS))
    head = ["", f"KiB for an idle one of {MEMBERS[-1]:,}", *(f"µs each, {a:,} to {b:,}" for a, b in steps)]
    rows = []
    for name in CELLS["crowd"].servers:
        full, alone = (found.median("crowd", name, label, "memory_kib") for label in (f"idle {MEMBERS[-1]}", "alone"))
        each = (full - alone) / (MEMBERS[-1] - 1) if full and alone else None
        costs = (found.median("crowd", name, f"connect {b}", "cpu_us") for _, b in steps)
        rows.append([SERVERS[name].title, _number(each), *(_number(cost) for cost in costs)])
    return _table(head, rows, len(steps) + 1)


def relay(found: Found) -> str:
    """Many senders, few members: what a message costs besides its deliveries."""
    rows = []
    for name in CELLS["relay"].servers:
        messages, seconds, cpu = (
            found.median("relay", name, "relay", field) for field in ("messages", "seconds", "cpu")
        )
        rate, each = (messages / seconds, cpu / messages * 1e6) if messages and seconds and cpu else (None, None)
        rows.append([SERVERS[name].title, _number(rate), _number(each)])
    return _table(["8 senders, 64 in flight each, acknowledged", "messages/s", "µs of CPU for a message"], rows, 2)


def polling(found: Found) -> str:
    """What somebody who polls costs."""
    head = ["500 who poll", *(f"{flight} in flight" for flight in FLIGHTS), "20 a second", "p50 / p99 of these, ms"]
    labels = [*(f"flight {flight}" for flight in FLIGHTS), "rate"]
    rows = (
        [
            SERVERS[name].title,
            *(_number(found.median("polling", name, label, "cpu_us")) for label in labels),
            " / ".join(_number(found.median("polling", name, "rate", field)) for field in ("p50", "p99")),
        ]
        for name in CELLS["polling"].servers
    )
    return _table(head, rows, 5)


def deflate(found: Found) -> str:
    """What compression costs, and saves."""
    labels = [f"flight {flight}" for flight in FLIGHTS[:-1]]
    head = [
        "500 who offer permessage-deflate",
        *(f"µs, {flight} in flight" for flight in FLIGHTS[:-1]),
        "bytes for a delivery",
        "compressed",
        "server's memory, MiB",
    ]
    rows = []
    for name in CELLS["deflate"].servers:
        received, inflated, deliveries, memory = (
            found.median("deflate", name, labels[-1], field)
            for field in ("bytes", "inflated", "deliveries", "memory_kib")
        )
        rows.append(
            [
                SERVERS[name].title,
                *(_number(found.median("deflate", name, label, "cpu_us")) for label in labels),
                _number(received / deliveries if received and deliveries else None),
                "–" if inflated is None else "yes" if inflated else "no",
                _number(memory / 1024 if memory else None),
            ]
        )
    return _table(head, rows, 5)


def joins(found: Found) -> str:
    """What it costs to connect and to take a name, by how many are there."""
    shown = [JOINED[0], *JOINED[1::2]]
    head = ["µs each, up to", *(f"{count:,}" for count in shown), "last quarter / first"]
    rows = []
    for name in CELLS["joins"].servers:
        first, last = quarters(found, name)
        each = (_number(found.median("joins", name, f"joined {count}", "cpu_us")) for count in shown)
        rows.append([SERVERS[name].title, *each, _number(last / first if first and last else None)])
    return _table(head, rows, len(shown) + 1)


def storm(found: Found) -> str:
    """What happens to those who talk while thousands come."""
    head = [
        "",
        "let in, of 5,000",
        "seconds to let them in",
        "count right at all after, s",
        "frames of `nbUsers`",
        "for each person",
        "p50 / p99 before, ms",
        "p50 / p99 meanwhile, ms",
    ]
    rows = []
    for name in CELLS["storm"].servers:
        frames, members, entered_in, right = (
            found.median("storm", name, "storm", field)
            for field in ("presences", "members", "entered_in", "right_after")
        )
        rows.append(
            [
                SERVERS[name].title,
                _number(found.median("storm", name, "storm", "entered")),
                *("not in 70" if each is not None and each < 0 else _number(each) for each in (entered_in, right)),
                _number(frames),
                _number(frames / members if frames and members else None),
                *(
                    " / ".join(_number(found.median("storm", name, label, field)) for field in ("p50", "p99"))
                    for label in ("before", "storm")
                ),
            ]
        )
    return _table(head, rows, 7)


def history(found: Found) -> str:
    """What a long history costs."""
    few, many = (found.median("history", "sqlite", label, "count") for label in ("few", "many"))
    what = {
        "open": "open the room (once, when the server starts; reads up to 1,000 events)",
        "newest": "the newest 50 messages",
        "middle": "50 messages in the middle",
        "search": "search for a word",
    }
    rows = (
        [title, *(_number(found.median("history", "sqlite", label, field)) for label in ("few", "many"))]
        for field, title in what.items()
    )
    return _table(["milliseconds, messages", f"{few or 0:,.0f}", f"{many or 0:,.0f}"], rows, 2)


def stored_rooms(found: Found) -> str:
    """What it costs that a store has many rooms."""
    few, many = (found.median("stored_rooms", "sqlite", label, "count") for label in ("few", "many"))
    what = {
        "open": "open a room of a store that is open",
        "page": "a page of the list of rooms: 100, or as many as there are",
        "listed": "the same of the listed ones",
        "unread": f"count what a person has not read in {FOLLOWED} rooms, or as there are; 10,000 messages in one",
        "start": "open the store",
    }
    rows = (
        [title, *(_number(found.median("stored_rooms", "sqlite", label, field)) for label in ("few", "many"))]
        for field, title in what.items()
    )
    return _table(["milliseconds, rooms in the store", f"{few or 0:,.0f}", f"{many or 0:,.0f}"], rows, 2)


def many_rooms(found: Found) -> str:
    """What one connection in many rooms costs."""
    rows = (
        [title, *(_number(found.median("many_rooms", "pychat", f"{rooms}", field)) for rooms in (1, ROOMS))]
        for field, title in (
            ("enter", "enter all of them after a drop, a missed message in each (milliseconds)"),
            ("message", "a message to one of them (microseconds)"),
        )
    )
    return _table(["one connection in", "1 room", f"{ROOMS} rooms"], rows, 2)


def million(found: Found) -> str:
    """A million people in one room, on paper: what was measured, what is assumed, and what follows."""
    people, each, rate, minutes = 1_000_000, 5000, 10, 10
    servers = people // each
    delivery = found.median("crowd", "pychat", "flight 1", "cpu_us")
    connect = found.median("crowd", "pychat", f"connect {MEMBERS[-1]}", "cpu_us")
    one, many = (found.median("redis", "redis", f"readers {readers}", "cpu_us") for readers in READERS)
    if not (delivery and connect and one and many):
        return ""
    reader = (many - one) / (READERS[1] - READERS[0])
    event = one + reader * (servers - 1)  # µs of Redis for an event that all servers are told
    joins = people / minutes / 60
    rows = [
        ["µs of a server for a delivery, at 8,000 members", _number(delivery), "measured"],
        ["µs of a server for a new connection", _number(connect), "measured"],
        ["µs of Redis for an event, with one server", _number(one), "measured"],
        ["µs of Redis for each further server", _number(reader), f"measured, up to {READERS[1]} servers"],
        ["people; of these on a server", f"{people:,}; {each:,}", "assumed"],
        ["messages a second; bytes for a delivery", f"{rate}; 200", "assumed"],
        ["servers, with a core each", f"{servers:,}", "follows"],
        ["ms for a round to all of a server", _number(each * delivery / 1000), "follows"],
        ["share of each core for the talk, nothing gathered", f"{each * rate * delivery / 1e6:.0%}", "follows"],
        ["GB a second, of all servers", _number(people * rate * 200 / 1e9), "follows"],
        ["share of one core of Redis for the talk", f"{rate * event / 1e6:.0%}", "follows"],
        [f"the same for a million names within {minutes} minutes", f"{joins * event / 1e6:.0%}", "follows"],
        ["names a second that Redis can tell all servers of", _number(1e6 / event), "follows"],
        ["seconds of all cores for a million handshakes", _number(people * connect / 1e6 / servers), "follows"],
    ]
    return _table(["", "", "measured or assumed"], rows, 2)


def slow(found: Found) -> str:
    """What those who read notice of those who do not."""
    head = [
        "",
        "p99 before, ms",
        "p99 with them",
        "µs for a delivery before",
        "with them",
        "server's memory before, MiB",
        "at most",
        "closed",
        "code",
        "caught up",
    ]
    rows = []
    for name in CELLS["slow"].servers:
        memory = [
            found.median("slow", name, label, field)
            for label, field in (("before, loaded", "memory_kib"), ("stalled, loaded", "peak_kib"))
        ]
        rows.append(
            [
                SERVERS[name].title,
                *(_number(found.median("slow", name, label, "p99")) for label in ("before", "stalled")),
                *(
                    _number(found.median("slow", name, label, "cpu_us"))
                    for label in ("before, loaded", "stalled, loaded")
                ),
                *(_number(each / 1024 if each else None) for each in memory),
                *(
                    f"{found.median('slow', name, 'resumed', field) or 0:.0f}"
                    for field in ("closed", "code", "caught_up")
                ),
            ]
        )
    return _table(head, rows, 9)


def generator(found: Found) -> str:
    """Whether the load generator is the bottleneck."""
    deliveries, seconds, busy = (
        found.median("generator", "gathered", "many", field) for field in ("deliveries", "seconds", "busy")
    )
    if not (deliveries and seconds and busy):
        return ""
    rate = _number(deliveries / seconds)
    return f"The load generator took and checked {rate} deliveries a second, and was busy for {busy:.0%} of the time."


#: The tables by the name that the page knows them by.
TABLES: dict[str, Callable[[Found], str]] = {
    "where": where,
    "goals": goals,
    "cost": cost,
    "latency": latency,
    "connections": connections,
    "relay": relay,
    "polling": polling,
    "deflate": deflate,
    "joins": joins,
    "storm": storm,
    "slow": slow,
    "generator": generator,
    "history": history,
    "stored_rooms": stored_rooms,
    "many_rooms": many_rooms,
    "million": million,
    "verdicts": lambda found: _table(
        ["target", "wanted", "found", ""], ([*row, "met" if met else "**missed**"] for *row, met in verdicts(found)), 3
    ),
}
