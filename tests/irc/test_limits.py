"""Whoever is slow, silent, too many, too long or not speaking IRC: told why, and no trouble to the others."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import Any

import pytest

from pychat import ChatRoom, Close, IrcServer, Limits, serve_irc
from pychat.testing import Person
from pychat.transports.irc import server as server_module
from pychat.transports.irc.client import Client
from pychat.transports.irc.line import Line
from pychat.transports.irc.membership import OF_THE_ROOM
from tests.irc.conftest import Enter, Open
from tests.irc.person import CAPS, TIMEOUT, IrcPerson


def why(close: Close) -> str:
    """The line that says so."""
    return f"Closing link: {close.text} ({close.reason})"


async def test_who_never_registers_is_sent_away(opened: Open, room: ChatRoom, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten seconds, however much is said that is not NICK and USER."""
    assert server_module._REGISTRATION_SECONDS == 10.0
    monkeypatch.setattr(server_module, "_REGISTRATION_SECONDS", 0.3)
    server = await opened(room)
    ada = await IrcPerson.connect(server.port)
    ada.say("CAP LS 302", "NICK ada", "USER ada 0 * :Ada")
    assert (await ada.ended())[-1].params == (why(Close.TIMEOUT),)


async def test_who_is_silent_is_asked(opened: Open, room: ChatRoom) -> None:
    """A PING; who answers stays, who does not is gone, and the name with it."""
    server = await opened(room, ping_seconds=0.2)
    ada, bob = [await IrcPerson.enter(server.port, nick) for nick in ("ada", "bob")]

    async def answer() -> None:
        while True:
            await bob.line("PING")
            bob.say("PONG :irc.pychat")

    answering = asyncio.create_task(answer())
    assert [line.params for line in await ada.ended() if line.command in ("PING", "ERROR")] == [
        ("irc.pychat",),
        (why(Close.TIMEOUT),),
    ]
    answering.cancel()
    while len(room.members) > 1:
        await bob.next()
    assert [member.name for member in room.members] == ["bob"]


async def test_a_slow_reader_is_closed_alone(opened: Open) -> None:
    """What waits for it is bounded; the others do not notice; it is told why, as far as it reads."""
    room = ChatRoom("lobby", limits=Limits(rate=0))
    server = await opened(room, max_buffer_bytes=100_000)
    slow, quick = [await IrcPerson.enter(server.port, nick) for nick in ("slow", "quick")]
    slow.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.reader._transport.pause_reading()  # type: ignore[attr-defined]
    page = await Person.enter(room)
    await page.join("Grace")
    texts = 0
    while len(room.members) > 2:
        assert texts < 20_000
        await page.say("x" * 1_900)
        texts += 1
        heard = 0
        while heard < 1_900:
            heard += len((await quick.line("PRIVMSG")).params[-1])
    assert "slow" not in [member.name for member in room.members]
    assert (await quick.since("VERSION"))[-1].command == "351"


async def test_who_missed_more_than_may_wait_reads_it_while_others_talk(opened: Open) -> None:
    """History goes out as the client reads: all of it once and in order, then what was said meanwhile."""
    room = ChatRoom("lobby", limits=Limits(text=20_000))
    server = await opened(room, max_buffer_bytes=100_000)
    for number in range(100):
        await room.post(f"{number} {'x' * 19_000}", author="bot")
    ada = await IrcPerson.enter(server.port, "ada", None, caps=CAPS)
    ada.say("JOIN #lobby")
    await ada.line("366")
    ada.say(f"CHATHISTORY AFTER #lobby msgid=0.{room.position.epoch} 100")
    await ada.line("BATCH")  # it has begun
    for number in range(100, 130):
        await room.post(f"{number} {'x' * 1_000}", author="bot")
    heard: list[str] = []
    while len(heard) < 130:
        text = (await ada.line("PRIVMSG")).params[-1]
        heard += [text.split()[0]] if text[0].isdigit() else []
    assert [str(number) for number in range(130)] == heard


async def test_bad_lines_are_told_and_then_too_many(enter: Enter) -> None:
    """Not UTF-8, too long, no command: each has its words; ten in a row are the end."""
    ada, bob = await enter("Ada"), await enter("Bob", caps=CAPS)
    ada.writer.write(b"PRIVMSG #lobby :\xff\r\n" + b"PRIVMSG #lobby :" + b"x" * 600 + b"\r\n" + b":x\r\n")
    heard = [line for line in [await ada.next() for _ in range(4)] if line.command != "JOIN"]  # Bob's
    assert ["FAIL", "417", "FAIL"] == [line.command for line in heard]
    assert ["INVALID_UTF8", "BAD_LINE"] == [line.params[1] for line in heard if line.command == "FAIL"]
    bob.writer.write(b"\xff\r\n" * 10)
    heard = await bob.ended()
    assert ["FAIL"] * 10 + ["ERROR"] == [line.command for line in heard]
    assert heard[-1].params == (why(Close.BAD_FRAME),)


async def test_a_browser_that_lost_its_way_gets_nothing(server: IrcServer) -> None:
    """An HTTP request is no IRC. It ends the connection, so a page cannot post lines of IRC in the body of one."""
    for first in ("GET / HTTP/1.1", "POST /#lobby HTTP/1.0"):
        ada = await IrcPerson.connect(server.port)
        ada.say(first, "Host: localhost", "", "NICK Ada", "USER a 0 * :a", "JOIN #lobby", "PRIVMSG #lobby :hi")
        assert ["ERROR"] == [line.command for line in await ada.ended()]


async def test_there_are_only_so_many(opened: Open, room: ChatRoom) -> None:
    """At once, and from one address; who is too many is told, and a place becomes free."""
    server = await opened(room, max_clients=2)
    ada, _ = [await IrcPerson.enter(server.port, nick) for nick in ("ada", "bob")]
    assert (await (await IrcPerson.connect(server.port)).ended())[-1].params == (why(Close.FULL),)
    ada.say("QUIT")
    await ada.ended()
    await IrcPerson.enter(server.port, "eve")
    narrow = await opened(room, max_per_address=1)
    await IrcPerson.enter(narrow.port, "zoe")
    assert (await (await IrcPerson.connect(narrow.port)).ended())[-1].params == (why(Close.FULL),)


@pytest.mark.parametrize(
    "close",
    [each for each in Close if each not in OF_THE_ROOM and each is not Close.LOST],
)
async def test_every_close_says_why(opened: Open, close: Close) -> None:
    """ERROR, with the words and the reason; then the line is closed."""
    room = ChatRoom("lobby")
    server = await opened(room)
    ada = await IrcPerson.enter(server.port, "ada")
    room.dismiss(close)
    assert [line.params for line in await ada.ended()] == [(why(close),)]


async def test_the_server_goes(opened: Open, room: ChatRoom) -> None:
    """Everybody is told, also who has not registered; names are free; nobody is let in any more."""
    server = await opened(room)
    ada, stranger = await IrcPerson.enter(server.port, "ada"), await IrcPerson.connect(server.port)
    await stranger.since()
    port = server.port
    await server.aclose()
    for person in (ada, stranger):
        assert (await person.ended())[-1].params == (why(Close.SHUTDOWN),)
    assert room.members == ()
    with pytest.raises(OSError, match=r"refused|Connect"):
        await IrcPerson.connect(port)
    await server.aclose()


async def test_quit_is_answered(room: ChatRoom, enter: Enter) -> None:
    """With ERROR, as clients expect; the name is free."""
    ada = await enter("Ada", password="kept secret")
    ada.say("QUIT :bye")
    assert (await ada.ended())[-1].params == ("Closing link: Goodbye.",)
    assert room.members == ()


async def test_ipv6(room: ChatRoom) -> None:
    """Where the machine has it."""
    try:
        server = await serve_irc(room, host="::1", port=0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    ada = await IrcPerson.connect(server.port, "::1")
    ada.say("NICK ada", "USER ada 0 * :Ada")
    await ada.line("376")
    await server.aclose()
    await room.aclose()


async def test_a_flood_is_read_slowly_and_harms_nobody(enter: Enter) -> None:
    """Thousands of questions at once: another person's is answered meanwhile."""
    ada, bob = await enter("Ada"), await enter("Bob")
    ada.say(*["WHO #lobby"] * 3_000)
    async with asyncio.timeout(TIMEOUT):
        assert [line.command for line in await bob.since("VERSION") if line.command != "JOIN"] == ["351"]


async def crowded(size: int, **limits: Any) -> ChatRoom:
    """A room that is full of people on the page."""
    room = ChatRoom("lobby", limits=Limits(**limits))
    for number in range(size):
        await (await Person.enter(room)).join(f"member{number}")
    return room


async def test_long_answers_are_made_a_few_lines_at_a_time(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two clients ask again and again who is in a full room: a turn of the event loop makes a few lines for one of them. All lines come, in order."""
    server = await opened(await crowded(300))
    people = [await IrcPerson.enter(server.port, nick) for nick in ("ada", "bob")]
    told: list[str] = []
    turns: list[list[str]] = []
    tell = Client.tell

    def told_to(client: Client, line: Line) -> None:
        told.append(client.nick)
        tell(client, line)

    async def watch() -> None:
        while True:
            turns.append(told[:])
            told.clear()
            await asyncio.sleep(0)

    monkeypatch.setattr(Client, "tell", told_to)
    watching = asyncio.create_task(watch())
    for person in people:
        person.say(*["WHO #lobby"] * 6, "PING :done")
    heard = [await person.until("PONG") for person in people]
    watching.cancel()
    answer = [*["352"] * 302, "315"]
    for lines in heard:
        assert [*answer * 6, "PONG"] == [line.command for line in lines if line.command in ("352", "315", "PONG")]
    assert max(len(turn) for turn in turns) <= 40


@pytest.mark.parametrize(
    "line", ["WHO #lobby", "NAMES #lobby", "ISON a b c d e f g h", "NICK member3", "WHOIS x", "USERHOST a b c"]
)
async def test_who_asks_for_too_much_waits(opened: Open, line: str) -> None:
    """Lines are counted, those of answers, and members that must be looked at. Only the client that asks waits, and it can leave meanwhile."""
    server = await opened(await crowded(300, rates={"irc-answers": (0.01, 700)}), ping_seconds=0.5)
    ada, bob = [await IrcPerson.enter(server.port, nick) for nick in ("ada", "bob")]
    ada.say(*[line] * 800, "PING :done")
    for _ in range(100):
        assert (await bob.since("VERSION"))[-1].command == "351"
    begun = len(ada.heard)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await ada.line("PONG")
    assert len(ada.heard) - begun < 1_000
    await ada.close()
    async with asyncio.timeout(TIMEOUT):
        while len(server.clients) > 1:
            await asyncio.sleep(0.05)


async def test_half_a_tls_handshake_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opens the encrypted port and says nothing holds an open file for as long as others have to register, and no longer."""
    monkeypatch.setattr(server_module, "_REGISTRATION_SECONDS", 0.2)
    async with ChatRoom("lobby") as room:
        irc = IrcServer(room)
        port = await irc.start(port=0, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(10):
            assert b"" == await reader.read()
        writer.close()
        await writer.wait_closed()
        await irc.aclose()
