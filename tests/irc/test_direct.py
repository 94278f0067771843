"""Direct messages on IRC: `PRIVMSG` with a nick, both ways."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from pychat import Chat, ChatRoom, IrcServer, Request, User
from tests.irc.person import IrcPerson
from tests.room.visiting import ADA, BOB, Visitor
from tests.room.visiting import enter as visit

_NAMES = {"ada": "Ada", "bob": "Bob", "eve": "Eve"}


def who(asking: Request) -> User | None:
    """The user whose id is the server password, if there is one."""
    name = _NAMES.get(asking.bearer or "")
    return User(name.lower(), name) if name else None


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


async def texts(chat: Chat, *people: str) -> list[str]:
    """What is stored in the direct room of these people."""
    return [message.text for message in await (await chat.direct(*people)).history()]


async def direct(chat: Chat, user: User) -> Visitor:
    """Enter the direct room of Ada and Bob, as a page does."""
    return await visit(chat, (await chat.direct(ADA, BOB)).name, user)


async def test_two_people_on_irc_write_to_each_other(port: int, chat: Chat) -> None:
    """The messages are in their direct room, and nobody else gets them."""
    ada, bob, eve = [await IrcPerson.enter(port, name, password=name.lower()) for name in _NAMES.values()]
    ada.say("PRIVMSG Bob :hi")
    heard = await bob.line("PRIVMSG")
    assert (heard.source, heard.params) == ("Ada!~chat@pychat", ("Bob", "hi"))
    bob.say("PRIVMSG ada :hello", "PRIVMSG Ada :/me waves")
    assert (await ada.line("PRIVMSG")).params == ("Ada", "hello")
    await ada.line("PRIVMSG")
    assert await texts(chat, "ada", "bob") == ["hi", "hello", "/me waves"]
    assert not [line for line in await eve.since() if line.command == "PRIVMSG"]
    assert not [line for line in await ada.since() if "direct-" in repr(line)]


async def test_a_page_writes_to_somebody_who_joined_nothing(port: int, chat: Chat) -> None:
    """It is delivered without a `JOIN`, and can be answered; what was delivered is read."""
    ada = await IrcPerson.enter(port, "Ada", None, password="ada")
    bob = await direct(chat, BOB)
    await bob.say("are you there?")
    heard = await ada.line("PRIVMSG")
    assert (heard.source, heard.params) == ("Bob!~chat@pychat", ("Ada", "are you there?"))
    assert await ada.since("PRIVMSG Bob :yes") == []
    assert await texts(chat, "ada", "bob") == ["are you there?", "yes"]
    assert [each.messages for each in (await chat.unread("ada")).values()] == [0]


async def test_unread_direct_messages_are_delivered_on_connecting(port: int, chat: Chat) -> None:
    """Each of them, in order, and no notice about them; they are not delivered again once they were read."""
    bob = await direct(chat, BOB)
    await bob.say("one")
    await bob.say("two")
    ada = await IrcPerson.enter(port, "Ada", None, password="ada")
    assert [(await ada.line("PRIVMSG")).params[1] for _ in range(2)] == ["one", "two"]
    await ada.since("PRIVMSG Bob :three")
    ada.say("QUIT")
    await ada.ended()
    again = await IrcPerson.enter(port, "Ada", "#lobby", password="ada")
    await bob.say("four")
    assert (await again.line("PRIVMSG")).params[1] == "four"


async def test_an_echo_is_sent_where_it_was_asked_for(port: int, chat: Chat) -> None:
    """With `echo-message`, the author's clients see what they wrote, to whom; others do not."""
    await IrcPerson.enter(port, "Bob", password="bob")
    plain = await IrcPerson.enter(port, "Ada", password="ada")
    echoing = await IrcPerson.enter(port, "Ada", password="ada", caps="echo-message")
    echoing.say("PRIVMSG Bob :first")
    echo = await echoing.line("PRIVMSG")
    assert (echo.source, echo.params) == ("Ada!~chat@pychat", ("Bob", "first"))
    assert await plain.since("PRIVMSG Bob :second") == []
    assert (await echoing.line("PRIVMSG")).params == ("Bob", "second")


async def test_a_blocked_person_is_told_so(port: int, chat: Chat) -> None:
    """Before the first message and after; the other person gets nothing."""
    ada, bob = [await IrcPerson.enter(port, name, password=name.lower()) for name in ("Ada", "Bob")]
    await chat.block("bob", "ada")
    refused = await ada.since("PRIVMSG Bob :hi")
    assert [line.params for line in refused if line.command == "404"] == [
        ("Ada", "Bob", "You cannot write to this person.")
    ]
    await chat.block("bob", "ada", on=False)
    ada.say("PRIVMSG Bob :please")
    await bob.line("PRIVMSG")
    await chat.block("bob", "ada")
    assert "404" in [line.command for line in await ada.since("PRIVMSG Bob :hi")]
    assert not [line for line in await bob.since() if line.command == "PRIVMSG"]


async def test_nobody_of_that_nick(port: int) -> None:
    """Whoever shares no channel does not exist; a guest without a password is told what to do."""
    ada = await IrcPerson.enter(port, "Ada", password="ada")
    await IrcPerson.enter(port, "Bob", None, password="bob")
    heard = await ada.since("PRIVMSG Bob :hi", "PRIVMSG nobody :hi")
    assert [(line.command, line.params[-1]) for line in heard] == [
        ("401", "Nobody in your channels has this nick."),
        ("401", "Nobody in your channels has this nick."),
    ]
    guest = await IrcPerson.enter(port, "guest")
    (refused,) = await guest.since("PRIVMSG Ada :hi")
    assert refused.command == "401"
    assert "server password" in refused.params[-1]


async def test_a_message_to_oneself_comes_back(port: int, chat: Chat) -> None:
    """Once, and it is not stored."""
    for caps in ("", "echo-message"):
        ada = await IrcPerson.enter(port, "Ada", password="ada", caps=caps)
        (back,) = await ada.since("PRIVMSG ada :note")
        assert (back.source, back.command, back.params) == ("Ada!~chat@pychat", "PRIVMSG", ("Ada", "note"))
    assert all(room.people == () for room in await chat.rooms())


async def test_a_nick_that_two_people_have_is_refused(port: int, chat: Chat) -> None:
    """The same nick can be two people in two rooms: a message must not reach the wrong one."""
    other = await chat.open("other")
    await visit(chat, "lobby", User("g1", "Grace"))
    await visit(chat, other.name, User("g2", "Grace"))
    ada = await IrcPerson.enter(port, "Ada", "#lobby,#other", password="ada")
    await ada.line("366", lambda line: line.params[1] == "#other")
    (refused,) = await ada.since("PRIVMSG Grace :hi")
    assert (refused.command, refused.params[-1]) == ("401", "Several people have this nick. Write in a channel.")


async def test_a_deleted_direct_room_ends_quietly(port: int, chat: Chat) -> None:
    """The client stays connected, and the next message begins anew."""
    ada, bob = [await IrcPerson.enter(port, name, password=name.lower()) for name in ("Ada", "Bob")]
    ada.say("PRIVMSG Bob :hi")
    await bob.line("PRIVMSG")
    await chat.delete_room((await chat.direct("ada", "bob")).name)
    bob.say("PRIVMSG Ada :again")
    assert (await ada.line("PRIVMSG")).params == ("Ada", "again")
    assert await texts(chat, "ada", "bob") == ["again"]
