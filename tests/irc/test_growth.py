"""What a nick look-up costs does not grow with the members, nor with the clients."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from tests.room.growth import Steps, counted_pychat

_FEW, _MANY = 100, 10_000


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    """Import a `pychat` that counts."""
    with counted_pychat() as steps:
        yield steps


class _Transport:
    """Drops what is written."""

    def get_write_buffer_size(self) -> int:
        """Return the bytes that wait: none."""
        return 0


class _Writer:
    """A connection that leads nowhere."""

    transport = _Transport()

    def is_closing(self) -> bool:
        """Return false: the connection stays open."""
        return False

    def write(self, data: bytes) -> None:
        """Drop the data."""


class _Server:
    """An IRC server without a socket, and a room whose members are on another server."""

    def __init__(self) -> None:
        pychat, model = import_module("pychat"), import_module("pychat.domain.model")
        self._member = lambda number, name: model.Member(f"id{number}", name)
        self._joined, self._left, self._renamed = model.Joined, model.Left, model.Renamed
        self.store = import_module("pychat.stores").MemoryStore()
        self.room = pychat.ChatRoom("lobby", store=self.store, limits=pychat.Limits(rate=0, listed=50, page=50))
        self.irc = pychat.IrcServer(self.room)

    async def fill(self, count: int) -> None:
        """Bring in `count` members, of whose nicks every second one needs a number, and as many clients."""
        await self.room.start()
        for number in range(count):
            name = f"a b c{number}" if number % 2 else f"a?b c{number - number % 2 + 1}"
            await self.store.signal("lobby", self._joined(self._member(number, name)))
            self._connect().set_nick(f"client{number}")

    async def client(self, nick: str) -> Any:
        """Bring in a client that registers."""
        client = self._connect()
        await self.tell(client, f"NICK {nick}", "USER u 0 * :u")
        return client

    def _connect(self) -> Any:
        module = import_module("pychat.transports.irc.client")
        outbox = import_module("pychat.transports.irc.outbox").Outbox(_Writer(), "", 10**9, lambda: None)
        client = module.Client(self.irc, outbox)
        self.irc.clients.add(client, None)
        return client

    async def tell(self, client: Any, *lines: str) -> None:
        """Execute lines of a client."""
        execute = import_module("pychat.transports.irc.commands").execute
        for line in lines:
            await execute(client, import_module("pychat.transports.irc.line").Line.parse(line.encode()))
        await asyncio.sleep(0)

    async def measure(self, steps: Steps) -> dict[str, int]:
        """Return the steps of each thing that looks up nicks."""
        ada = await self.client("ada")
        bob = await self.client("bob")
        await self.tell(ada, "JOIN #lobby")
        await self.tell(bob, "JOIN #lobby")
        found = {}
        for name, line in {
            "a nick that is free": "NICK countess",
            "a nick that a client has": "NICK client7",
            "a nick that a member has": "NICK a_b_c7",
            "a nick that nobody has": "WHOIS nobody",
            "a nick with a number": "WHOIS a_b_c7_2",
            "several nicks": "ISON nobody a_b_c7 client7",
        }.items():
            await self.tell(ada, line)
            steps.clear()
            await self.tell(ada, line.replace("countess", "lovelace"))
            found[name] = steps.total()
        for name, event in {
            "a join": self._joined(self._member("new", "a!b c7")),
            "a rename": self._renamed(self._member("new", "a,b c8"), "a!b c7"),
            "a leave": self._left(self._member("new", "a,b c8")),
        }.items():
            steps.clear()
            await self.store.signal("lobby", event)
            found[name] = steps.total()
        steps.clear()
        client = await self.client("eve")
        self.irc.clients.remove(client)
        found["a connection"] = steps.total()
        return found


@pytest.mark.slow
async def test_a_nick_is_found_in_the_same_steps_in_any_crowd(steps: Steps) -> None:
    """NICK, WHOIS, ISON, a join, a rename, a leave and a new connection take as many steps with 10,000 members and clients as with 100."""
    found = []
    for count in (_FEW, _MANY):
        server = _Server()
        await server.fill(count)
        found.append(await server.measure(steps))
    grown = [
        f"{what}: {few} steps with few, {many} with many"
        for (what, few), many in zip(found[0].items(), found[1].values(), strict=True)
        if many > few * 1.25 + 5
    ]
    assert not grown, "\n".join(grown)
