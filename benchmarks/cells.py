"""What is measured: each cell is one way to use a room, and the servers that are worth asking for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.load import Result, generator
from benchmarks.servers import SERVERS, running

__all__ = ["CELLS", "Cell"]


@dataclass(frozen=True)
class Cell:
    """One way to use a room."""

    title: str
    servers: tuple[str, ...]
    #: What the load generator is told, in turn. `{warm}` and `{run}` are seconds.
    commands: tuple[str, ...]
    rooms: int = 1
    senders: int = 1
    bytes: int = 64
    #: Everyone is told how many are here, on servers too that do not always do that.
    presence: bool = False
    #: How often those that take very long are asked.
    most_rounds: tuple[tuple[str, int], ...] = ()

    def measure(self, name: str, seconds: float) -> Iterator[Result]:
        """Start the server of that name, and yield what comes of each command."""
        server = SERVERS[name]
        options = ("--rooms", str(self.rooms), "--senders", str(self.senders), "--bytes", str(self.bytes))
        with (
            running(server, self.rooms, presence=self.presence) as up,
            generator(up.address, up.pid, "--protocol", server.protocol, *options) as load,
        ):
            for command in self.commands:
                yield load(command.format(warm=seconds / 3, run=seconds))


_RUNS = tuple(f"run flight={flight} seconds={{run}}" for flight in (1, 4, 32))
_WARM = "run flight=4 seconds={warm}"
_ALL = ("node", "uws", "bun", "stock", "pychat", "sqlite", "plain", "asgi", "bare", "gathered")
_MAIN = ("node", "uws", "pychat")
_SLICES = ("connect 1", "idle 0.5", "connect 100", "connect 1000", "connect 2000", "connect 4000", "connect 7000", "connect 8000")

CELLS = {
    "talk": Cell(
        "1,000 members, one sender, 64-byte texts",
        _ALL,
        ("connect 1000", _WARM, *_RUNS, "run rate=20 seconds={run}"),
        most_rounds=(("stock", 3),),
    ),
    "crowd": Cell(
        "8,000 members, one sender, 64-byte texts; connecting and memory on the way",
        ("node", "uws", "bun", "stock", "pychat", "sqlite"),
        (*_SLICES, "idle 1", _WARM, *_RUNS, "run rate=5 seconds={run}"),
        most_rounds=(("stock", 1),),
    ),
    "senders": Cell("1,000 members, eight senders", _MAIN, ("connect 1000", _WARM, *_RUNS), senders=8),
    "texts": Cell("1,000 members, 1,000-byte texts", _MAIN, ("connect 1000", _WARM, *_RUNS), bytes=1000),
    "rooms": Cell("100 rooms of 80, a sender in each", _MAIN, ("connect 8000", _WARM, *_RUNS), rooms=100),
    "relay": Cell(
        "8 members who all send, with 64 in flight each, acknowledged",
        ("node", "stock", "pychat", "sqlite"),
        ("connect 8", "run flight=64 acks=1 seconds={warm}", "run flight=64 acks=1 seconds={run}"),
        senders=8,
    ),
    "storm": Cell(
        "1,000 members talk while 5,000 more come in 5 seconds and take a name",
        ("node", "pychat"),
        ("connect 1000", "run rate=20 seconds={run}", "storm 5000 over=5 rate=20"),
        presence=True,
        most_rounds=(("node", 1),),
    ),
    "slow": Cell(
        "50 of 1,000 members stop reading, 1,000-byte texts",
        ("node", "pychat"),
        (
            "connect 1000",
            "run rate=20 seconds={run}",
            "run flight=64 seconds={run}",
            "stall 50",
            "run flight=64 seconds=10",
            "run rate=20 seconds={run}",
            "resume",
        ),
        bytes=1000,
        most_rounds=(("node", 1), ("pychat", 3)),
    ),
}
