"""Names, texts and searches that cost much to look at; and many who ask for one name at once, on every wire."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import aiohttp

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer
from tests.clients import SocketIOPerson, SSEPerson, WebSocketPerson

# As much as the wires take. Preparing such a name takes half a second.
MARKS = "a" + "\u0315\u0300" * 2_100
WIDE = "\ufdfa" * 4_200  # each becomes 18 characters


async def asked(person: Any, given: str) -> None:
    """Everything for which a text is looked at."""
    commands: list[tuple[str, dict[str, object]]] = [
        ("join", {"name": given}),
        ("join", {"name": "Ada", "token": given}),
        ("history", {"matching": given}),
        ("say", {"text": given}),
        ("say", {"text": given[:2_000]}),
        ("say", {"text": "hi", "id": given}),
        ("react", {"target": 1, "emoji": given}),
    ]
    for _ in range(4):
        for name, fields in commands:
            with contextlib.suppress(TimeoutError, ConnectionError, aiohttp.ClientError):
                await person.command(name, fields)


async def on_irc(server: PublicServer, given: str) -> None:
    """The same, as far as IRC has words for it."""
    reader, writer = await server.raw(server.irc_port)
    with contextlib.suppress(ConnectionError):
        for line in (f"NICK {given}", "NICK mallory", "USER m 0 * :m", "JOIN #lobby", f"PRIVMSG #lobby :{given}"):
            writer.write(f"{line}\r\n".encode())
        await writer.drain()
        async with asyncio.timeout(10):
            await reader.read(1)
    writer.close()


async def test_names_of_combining_marks(public: Public) -> None:
    """What is too long is refused before it is normalised or searched for, whatever the wire and the command."""
    async with public() as server:
        people: list[Any] = [
            await WebSocketPerson.enter(server.url),
            await SocketIOPerson.enter(server.url),
            await SSEPerson.enter(server.url),
        ]
        old = await SocketIOPerson.enter(server.url, version=None)
        async with server.attacked():
            for given in (MARKS, WIDE):
                await asyncio.gather(*(asked(person, given) for person in people), on_irc(server, given))
                for _ in range(8):
                    await old.client.emit("setPseudo", given)
                async with aiohttp.ClientSession() as http:
                    for _ in range(4):
                        address = f"{server.url}/api/rooms/lobby/messages"
                        with contextlib.suppress(aiohttp.ClientError):
                            await http.get(address, params={"matching": given[:1_500]})
                        body = {"text": given, "author": given, "name": given}
                        with contextlib.suppress(aiohttp.ClientError):
                            await http.post(address, json=body)
        for person in (*people, old):
            await person.close()


async def test_one_name_for_twenty_who_ask_at_once(public: Public) -> None:
    """One of them gets it, whatever their wires and however they write it; everybody else is told that it is taken."""
    async with public() as server:
        people: list[Any] = []
        for _ in range(6):
            people += [
                await WebSocketPerson.enter(server.url),
                await SocketIOPerson.enter(server.url),
                await SSEPerson.enter(server.url),
            ]
        for turn in range(8):
            shapes = [f"Eve{turn}", f"EVE{turn}", f"Еve{turn}"]
            answers = await asyncio.gather(
                *(each.command("join", {"name": shapes[number % 3]}) for number, each in enumerate(people))
            )
            assert sorted(answer["ok"] for answer in answers) == [False] * 17 + [True]
            assert {answer["error"]["code"] for answer in answers if not answer["ok"]} == {"name_taken"}
        who = await people[0].command("who", {})
        assert sum(member["name"].lower().endswith("ve7") for member in who["members"]) == 1
        for person in people:
            await person.close()


async def test_a_join_that_is_cut_off_leaves_no_ghost(public: Public) -> None:
    """Connections that end while their join is stored leave nobody in the list, and their names free after the grace."""
    async with public(arguments=("--grace", "0")) as server:
        ada = await WebSocketPerson.enter(server.url)

        async def cut(number: int) -> None:
            person: Any = await (SSEPerson, WebSocketPerson)[number % 2].enter(server.url)
            joining = asyncio.ensure_future(person.command("join", {"name": f"Ghost {number}"}))
            await asyncio.sleep(0.0005 * (number % 10))
            if number % 2:
                person.socket._response.connection.transport.abort()
            else:
                person.response.close()
            joining.cancel()
            await asyncio.wait([joining])
            person._reading.cancel()
            for http in (getattr(person, "http", None), getattr(person, "_http", None)):
                if http is not None:
                    await http.close()

        for first in range(0, 40, 10):
            await asyncio.gather(*(cut(number) for number in range(first, first + 10)))
        async with asyncio.timeout(20):
            while any(each["name"].startswith("Ghost") for each in (await ada.command("who", {}))["members"]):
                await asyncio.sleep(0.1)
        await ada.close()
