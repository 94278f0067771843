"""What is measured: each cell is one way to use a room, and the servers that are worth asking for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.history import History
from benchmarks.load import Result, generator
from benchmarks.many_rooms import ManyRooms
from benchmarks.redis import Backplane
from benchmarks.servers import SERVERS, running
from benchmarks.stored_rooms import StoredRooms

__all__ = ["CELLS", "FLIGHTS", "JOINED", "MEMBERS", "Cell", "Measured"]

#: Messages in flight.
FLIGHTS = (1, 4, 32)
#: How many members the crowd has, in turn.
MEMBERS = (100, 1000, 2000, 4000, 8000)
#: How many have come and taken a name, in turn.
JOINED = tuple(range(1000, 17000, 1000))


class Measured(Protocol):
    """Anything that is measured."""

    title: str
    #: The names of the servers that are asked, in turn.
    servers: tuple[str, ...]
    #: About how many seconds one server takes.
    takes: float
    #: How often it is asked at most: `""` stands for every server that is not named.
    most_rounds: dict[str, int]

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Yield what was found of the server of that name, in runs of so many seconds."""


@dataclass
class Cell:
    """One way to use a room."""

    title: str
    servers: tuple[str, ...]
    #: What the load generator is told, in turn, and under which label the result is kept; `{}` stands for the seconds
    #: of a run. What has no label is for warming up.
    commands: tuple[tuple[str, str], ...]
    takes: float
    rooms: int = 1
    senders: int = 1
    bytes: int = 64
    #: How members are connected: `websocket`; `deflate`, which offers to take compressed frames; or `polling`.
    transport: str = "websocket"
    #: Everyone is told how many are here, on servers too that do not always do that.
    presence: bool = False
    most_rounds: dict[str, int] = field(default_factory=lambda: {"": 3})

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Start the server of that name, and yield what comes of each command."""
        server = SERVERS[name]
        options = ["--transport", self.transport]
        for option, value in (("rooms", self.rooms), ("senders", self.senders), ("bytes", self.bytes)):
            options += [f"--{option}", str(value)]
        with (
            running(server, self.rooms, presence=self.presence) as up,
            generator(up.address, up.pid, "--protocol", server.protocol, *options) as load,
        ):
            for label, command in self.commands:
                result = load(command.format(seconds))
                if label:
                    yield {"label": label, **result}


_WARM = ("", "run flight=4 seconds=0.5")
_RUNS = (_WARM, *((f"flight {flight}", f"run flight={flight} seconds={{}}") for flight in FLIGHTS))
_RATE = ("rate", "run rate=20 seconds=2")
_THOUSAND = ("", "connect 1000")
_MAIN = ("node", "uws", "pychat")


def _growing() -> Iterator[tuple[str, str]]:
    yield "first", "connect 1"
    yield "alone", "idle 0.5"
    for members in MEMBERS:
        yield f"connect {members}", f"connect {members}"
        yield f"idle {members}", "idle 0.5"
        yield f"members {members}", "run flight=4 seconds=0.7"


CELLS: dict[str, Measured] = {
    "talk": Cell(
        "1,000 members",
        ("node", "uws", "bun", "stock", "pychat", "sqlite", "plain", "asgi", "bare", "gathered"),
        (_THOUSAND, *_RUNS, _RATE),
        takes=7,
        most_rounds={"stock": 3, "plain": 3, "asgi": 3, "bare": 3, "gathered": 3},
    ),
    "crowd": Cell(
        "8,000 members",
        ("node", "uws", "bun", "stock", "pychat", "mounted"),
        (*_growing(), *_RUNS[1:]),
        takes=20,
        most_rounds={"": 3, "stock": 1, "bun": 1, "mounted": 1},
    ),
    "senders": Cell("1,000 members, eight senders", _MAIN, (_THOUSAND, *_RUNS), takes=6, senders=8),
    "texts": Cell("1,000 members, 1,000-byte texts", _MAIN, (_THOUSAND, *_RUNS), takes=6, bytes=1000),
    "rooms": Cell("100 rooms of 80, a sender in each", _MAIN, (("", "connect 8000"), *_RUNS), takes=11, rooms=100),
    "relay": Cell(
        "8 members who all send, acknowledged",
        ("node", "stock", "pychat", "sqlite"),
        (("", "connect 8"), ("", "run flight=64 acks=1 seconds=0.5"), ("relay", "run flight=64 acks=1 seconds={}")),
        takes=3,
        senders=8,
    ),
    "polling": Cell(
        "500 members who poll",
        ("node", "stock", "pychat"),
        (("", "connect 500"), *_RUNS, _RATE),
        takes=8,
        transport="polling",
    ),
    "deflate": Cell(
        "500 members who offer to take compressed frames, 200-byte texts",
        ("node", "node-deflate", "stock", "uws-deflate", "pychat"),
        (("", "connect 500"), *_RUNS[:-1]),
        takes=5,
        bytes=200,
        transport="deflate",
        most_rounds={"": 2},
    ),
    "joins": Cell(
        "16,000 come, and each takes a name",
        ("node", "pychat", "sqlite"),
        (("", "connect 100 names=1"), *((f"joined {count}", f"connect {count} names=1") for count in JOINED)),
        takes=25,
        presence=True,
        most_rounds={"": 3, "sqlite": 1},
    ),
    # 20 a second to 5,000 would alone be a core's work, and to come and take a name is a millisecond: hence 5, in 15 s.
    "storm": Cell(
        "100 members talk while 5,000 come in 15 seconds and take a name",
        ("node", "pychat"),
        (("", "connect 100"), _WARM, ("before", "run rate=5 seconds=4"), ("storm", "storm 5000 over=15 rate=5")),
        takes=28,
        senders=100,
        presence=True,
        most_rounds={"node": 1, "pychat": 3},
    ),
    # Texts of 4,000 bytes, for it takes some 5 MB until the kernel's buffers and then pychat's are full, and what can
    # be had again after a return is 1,000 messages.
    "slow": Cell(
        "50 of 1,000 members stop reading, 4,000-byte texts",
        ("node", "pychat"),
        (
            _THOUSAND,
            _WARM,
            ("before", "run rate=20 seconds=2"),
            ("before, loaded", "run flight=16 seconds={}"),
            ("", "stall 50"),
            ("stalled, loaded", "run flight=16 messages=1700 seconds=60"),
            ("stalled", "run rate=20 seconds=2"),
            ("resumed", "resume"),
        ),
        takes=25,
        bytes=4000,
        most_rounds={"node": 1, "pychat": 3},
    ),
    "generator": Cell(
        "what the load generator can check",
        ("gathered",),
        (_THOUSAND, ("many", "run flight=256 seconds={}")),
        takes=2,
    ),
    "redis": Backplane(),
    "history": History(),
    "stored_rooms": StoredRooms(),
    "many_rooms": ManyRooms(),
}
