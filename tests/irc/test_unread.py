"""What people on IRC have not read: told when they connect, and read when it was sent to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pychat import Chat, ChatRoom, IrcServer, Request, User
from pychat.domain.notices import UnreadRoom
from pychat.testing import FakeClock
from pychat.transports.irc.outbox import Outbox
from pychat.transports.irc.unread import unread_texts
from tests.irc.person import TIMEOUT, IrcPerson


def who(asking: Request) -> User | None:
    """The user whose id is the server password, if there is one."""
    token = asking.bearer or ""
    return User(token, token.title()) if token in ("ada", "bob") else None


@pytest.fixture
async def chat() -> AsyncIterator[Chat]:
    """A chat with the room `lobby`."""
    async with Chat(ChatRoom("lobby"), authenticate=who) as chat:
        yield chat


@pytest.fixture
async def port(chat: Chat) -> AsyncIterator[int]:
    """The port of an IRC server for the chat."""
    server = IrcServer(chat)
    yield await server.start(port=0)
    await server.aclose()


async def until_read(chat: Chat, room: str, seq: int) -> None:
    """Wait until Ada has read a room up to number `seq`."""
    async with asyncio.timeout(TIMEOUT):
        while (await chat.unread("ada"))[room].seq < seq:
            await asyncio.sleep(0.01)


async def test_the_unread_rooms_are_told_on_connecting(port: int, chat: Chat) -> None:
    """One notice for each followed room with unread messages; a room that was read is not named."""
    project = await chat.open("project-42")
    ada = await IrcPerson.enter(port, "ada", "#lobby,#project-42", password="ada")
    await ada.line("366", lambda line: line.params[1] == "#project-42")
    ada.say("QUIT")
    await ada.ended()
    for text in ("one", "two", "@Ada three"):
        await project.post(text, author="bot")
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    assert (await ada.line("NOTICE")).params == ("ada", "#project-42: 3 unread messages, 1 mention")
    assert await ada.since() == []
    guest = await IrcPerson.enter(port, "guest", None)
    assert await guest.since() == []


def test_the_notices_are_bounded() -> None:
    """At most 20 rooms are told, those with mentions first, and the number of the others."""
    rooms = [UnreadRoom(f"r{number}", "R", 0, number, int(number == 2)) for number in range(33)]
    texts = unread_texts(rooms)
    assert texts[:2] == ["#r2: 2 unread messages, 1 mention", "#r32: 32 unread messages"]
    assert (len(texts), texts[-1]) == (21, "and 12 more rooms")
    assert unread_texts(rooms[:2]) == ["#r1: 1 unread message"]


async def test_a_line_that_was_sent_is_read(port: int, chat: Chat) -> None:
    """In a channel that the person is in; the position is that of all their devices."""
    lobby = await chat.open("lobby")
    ada = await IrcPerson.enter(port, "ada", password="ada")
    said = await lobby.post("hello", author="bot")
    await ada.line("PRIVMSG")
    await until_read(chat, "lobby", said.seq)
    ada.say("QUIT")
    await ada.ended()
    await lobby.post("while away", author="bot")
    assert (await chat.unread("ada"))["lobby"].messages == 1


async def test_what_is_played_back_is_read(port: int, chat: Chat) -> None:
    """By the lines at the `JOIN`; a client that asks for history itself has read what it was sent."""
    lobby = await chat.open("lobby")
    await chat.follow("ada", "lobby")
    first = await lobby.post("one", author="bot")
    ada = await IrcPerson.enter(port, "ada", password="ada")
    await until_read(chat, "lobby", first.seq)
    ada.say("QUIT")
    await ada.ended()
    second = await lobby.post("two", author="bot")
    ada = await IrcPerson.enter(port, "ada", caps="batch draft/chathistory server-time", password="ada")
    ada.say("PART #lobby")
    await ada.line("PART")
    assert (await chat.unread("ada"))["lobby"].messages == 1
    ada.say("JOIN #lobby", "CHATHISTORY LATEST #lobby * 10")
    await until_read(chat, "lobby", second.seq)


async def test_lines_that_wait_for_a_client_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the client has not taken does not count as read, until it has."""
    clock = FakeClock()
    async with Chat(ChatRoom("lobby", clock=clock), authenticate=who, clock=clock) as chat:
        server, lobby = IrcServer(chat), await chat.open("lobby")
        ada = await IrcPerson.enter(await server.start(port=0), "ada", password="ada")
        await lobby.post("hello", author="bot")
        await ada.line("PRIVMSG")
        with monkeypatch.context() as stalled:
            stalled.setattr(Outbox, "buffered", 1)
            clock.move(1)
            assert (await chat.unread("ada"))["lobby"].messages == 1
        clock.move(1)
        assert (await chat.unread("ada"))["lobby"].messages == 0
        await server.aclose()


async def test_a_password_is_enough_to_be_told(port: int, chat: Chat) -> None:
    """A guest who comes back with the same password has the same list of rooms."""
    lobby = await chat.open("lobby")
    bob = await IrcPerson.enter(port, "bob", password="a long secret")
    bob.say("QUIT")
    await bob.ended()
    await lobby.post("hello", author="bot")
    bob = await IrcPerson.enter(port, "bob", None, password="a long secret")
    notice = await bob.line("NOTICE")
    assert notice.params == ("bob", "#lobby: 1 unread message")
