"""What is measured: each cell is one way to use a room, and the servers that are worth asking for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.load import Result, generator
from benchmarks.servers import SERVERS, running

__all__ = ["CELLS", "FLIGHTS", "MEMBERS", "Cell"]

#: Messages in flight.
FLIGHTS = (1, 4, 32)
#: How many members the crowd has, in turn.
MEMBERS = (100, 1000, 2000, 4000, 8000)


@dataclass(frozen=True)
class Cell:
    """One way to use a room."""

    title: str
    servers: tuple[str, ...]
    #: What the load generator is told, in turn, and under which label the result is kept; `{}` stands for the seconds
    #: of a run. What has no label is for warming up.
    commands: tuple[tuple[str, str], ...]
    rooms: int = 1
    senders: int = 1
    bytes: int = 64
    #: Everyone is told how many are here, on servers too that do not always do that.
    presence: bool = False
    #: How often servers are asked that take very long.
    most_rounds: dict[str, int] = field(default_factory=dict)

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Start the server of that name, and yield what comes of each command."""
        server = SERVERS[name]
        options = ("--rooms", str(self.rooms), "--senders", str(self.senders), "--bytes", str(self.bytes))
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
_RATE = ("rate", "run rate=20 seconds={}")
_THOUSAND = ("", "connect 1000")
_MAIN = ("node", "uws", "pychat")


def _growing() -> Iterator[tuple[str, str]]:
    yield "first", "connect 1"
    yield "alone", "idle 0.5"
    for members in MEMBERS:
        yield f"connect {members}", f"connect {members}"
        yield f"idle {members}", "idle 0.5"
        yield f"members {members}", "run flight=4 seconds=0.7"


CELLS = {
    "talk": Cell(
        "1,000 members",
        ("node", "uws", "bun", "stock", "pychat", "sqlite", "plain", "asgi", "bare", "gathered"),
        (_THOUSAND, *_RUNS, _RATE),
    ),
    "crowd": Cell(
        "8,000 members",
        ("node", "uws", "bun", "stock", "pychat"),
        (*_growing(), *_RUNS[1:]),
        most_rounds={"stock": 1, "bun": 1},
    ),
    "senders": Cell("1,000 members, eight senders", _MAIN, (_THOUSAND, *_RUNS), senders=8),
    "texts": Cell("1,000 members, 1,000-byte texts", _MAIN, (_THOUSAND, *_RUNS), bytes=1000),
    "rooms": Cell("100 rooms of 80, a sender in each", _MAIN, (("", "connect 8000"), *_RUNS), rooms=100),
    "relay": Cell(
        "8 members who all send, acknowledged",
        ("node", "stock", "pychat", "sqlite"),
        (("", "connect 8"), ("", "run flight=64 acks=1 seconds=0.5"), ("relay", "run flight=64 acks=1 seconds={}")),
        senders=8,
    ),
    "storm": Cell(
        "1,000 members talk while 5,000 come in 5 seconds and take a name",
        ("node", "pychat"),
        (_THOUSAND, ("before", "run rate=20 seconds={}"), ("storm", "storm 5000 over=5 rate=20")),
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
            ("before", "run rate=20 seconds={}"),
            ("before, loaded", "run flight=16 seconds={}"),
            ("", "stall 50"),
            ("stalled, loaded", "run flight=16 messages=1700 seconds=60"),
            ("stalled", "run rate=20 seconds={}"),
            ("resumed", "resume"),
        ),
        bytes=4000,
        most_rounds={"node": 1, "pychat": 3},
    ),
    "generator": Cell(
        "what the load generator can check",
        ("gathered",),
        (_THOUSAND, ("many", "run flight=256 seconds={}")),
    ),
}
