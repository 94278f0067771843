"""How the transport of the docs is tested."""

from __future__ import annotations

import asyncio

from pychat import ChatRoom, Close
from pychat.testing import Person, TransportContract
from tests.docs.stage import Stage


async def is_talked_over(stage: Stage, argument: str) -> None:
    """Two people with `nc` are asked for a name, hear each other and a browser, and read why a name is refused."""
    visit = (await stage.run())["visit"]
    room = ChatRoom("lobby")
    server = await asyncio.start_server(lambda reader, writer: visit(room, reader, writer), "localhost", 0)
    address = server.sockets[0].getsockname()[:2]
    (ada_hears, ada), (bob_hears, bob) = [await asyncio.open_connection(*address) for _ in range(2)]
    for hears in (ada_hears, bob_hears):
        assert await hears.readline() == b"What is your name?\n"
    ada.write(b"Ada\nfirst\n")
    assert await bob_hears.readline() == b"Ada: first\n"
    bob.write(b"ADA\n")
    assert b"Please take another name" in await bob_hears.readline()
    bob.write("Bob\r\nhi ☕\r\n".encode())
    assert (await ada_hears.readline()).decode() == "Bob: hi ☕\n"
    page = await Person.enter(room)
    await page.join("Grace")
    await page.say("hello")
    for hears in (ada_hears, bob_hears):
        assert await hears.readline() == b"Grace: hello\n"
    room.dismiss(Close.SHUTDOWN)
    for hears, writer in ((ada_hears, ada), (bob_hears, bob)):
        assert (await hears.read()).decode() == f"{Close.SHUTDOWN.text}\n"
        writer.close()
        await writer.wait_closed()
    server.close()
    await server.wait_closed()
    await room.aclose()


async def keeps_the_contract(stage: Stage, argument: str) -> None:
    """Every promise of the contract of transports is kept."""
    suites = [
        thing
        for thing in (await stage.run()).values()
        if isinstance(thing, type) and issubclass(thing, TransportContract) and thing is not TransportContract
    ]
    for suite in suites:
        tests = [name for name in dir(suite) if name.startswith("test_")]
        assert len(tests) > 10
        for name in tests:
            await getattr(suite(), name)()
