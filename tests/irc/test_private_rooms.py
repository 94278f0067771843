"""The rooms of a `Chat` on IRC: private ones do not exist for strangers, and access can be lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from pychat import Chat, ChatRoom, IrcServer, Request, RoomSettings, User
from pychat.testing import FakeClock
from tests.irc.person import CAPS, IrcPerson

SECRET, GIVEN, MISSING = "secret", "given", "absent"
TITLE = "Project X: the takeover"
COMMANDS = (
    *("JOIN #{}", "NAMES #{}", "WHO #{}", "TOPIC #{}", "MODE #{}", "PART #{}", "LIST #{}", "PRIVMSG #{} :hi", "LIST"),
    *(
        "NOTICE #{} :hi",
        "TAGMSG #{}",
        "CHATHISTORY LATEST #{} * 10",
        "REDACT #{} 1.x",
        "WHOIS ada",
        "WHO ada",
        "ISON ada",
    ),
    *("USERHOST ada", "MOTD", "LUSERS"),
    *("KNOCK #{}", "MODE #{} b", "MODE #{} +m", "TOPIC #{} :mine", "KICK #{} ada", "INVITE ada #{}", "JOIN #{} key"),
)


def who(asking: Request) -> User | None:
    """The user whose id is the server password."""
    return User(asking.bearer, asking.bearer.title()) if asking.bearer else None


class Doors:
    """Who may do what: Ada may write everywhere at first; others only in the lobby."""

    def __init__(self) -> None:
        self.access = {"ada": "write"}
        self.asked: asyncio.Queue[str] = asyncio.Queue()

    def __call__(self, user: User | None, room: str) -> str:
        """The access of a user."""
        self.asked.put_nowait(room)
        return "write" if room == "lobby" else self.access.get("" if user is None else user.id, "none")


@pytest.fixture
def doors() -> Doors:
    """Who may do what."""
    return Doors()


@pytest.fixture
async def chat(doors: Doors) -> AsyncIterator[Chat]:
    """A chat with a lobby, a private room that was given, and one that is found."""

    async def find_room(name: str, asking: Request) -> RoomSettings | None:
        return RoomSettings(TITLE) if name in (SECRET, "closed") else None

    async def access(user: User | None, room: str) -> str:
        return doors(user, room)

    rooms = ChatRoom("lobby"), ChatRoom(GIVEN, title=TITLE)
    async with Chat(*rooms, access=access, find_room=find_room, authenticate=who) as chat:
        yield chat


@pytest.fixture
async def port(chat: Chat) -> AsyncIterator[int]:
    """The port of an IRC server for the chat."""
    server = IrcServer(chat)
    yield await server.start(port=0)
    await server.aclose()


async def join(person: IrcPerson, *rooms: str) -> None:
    """Join these rooms."""
    for room in rooms:
        person.say(f"JOIN #{room}")
        await person.line("366")


@pytest.mark.parametrize("password", ["", "eve"])
async def test_a_stranger_cannot_tell_a_private_room_from_a_missing_one(port: int, password: str) -> None:
    """Each command about a room is answered as if the room did not exist: for guests, and for other users."""
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    await join(ada, SECRET, GIVEN, "lobby")
    answers = []
    for number, room in enumerate((MISSING, SECRET, GIVEN, "closed")):
        eve = await IrcPerson.enter(port, f"eve{number}", None, caps=CAPS, password=password)
        heard = await eve.since(*(each.format(room) for each in COMMANDS))
        assert "403" in [line.command for line in heard]
        answers.append(repr(heard).replace(room, "ROOM").replace(f"eve{number}", "eve"))
        eve.say("QUIT")
        await eve.ended()
    assert answers == [answers[0]] * 4
    assert TITLE not in answers[0]


async def test_a_join_of_a_private_room_is_refused_on_the_grid(doors: Doors) -> None:
    """The refusal comes at the same time as that of a missing room, whatever the app has to look up."""
    clock = FakeClock()

    async def access(user: User | None, room: str) -> str:
        return doors(user, room)

    async with Chat(ChatRoom(GIVEN, clock=clock), access=access, clock=clock) as chat:
        server = IrcServer(chat)
        eve = await IrcPerson.enter(await server.start(port=0), "eve", None)
        for room in (GIVEN, MISSING):
            eve.say(f"JOIN #{room}")
            assert await doors.asked.get() == room
            while clock.next_timer is None:
                await asyncio.sleep(0)
            assert clock.next_timer == pytest.approx(0.1)
            clock.move(0.1)
            assert (await eve.line("403")).params[1] == f"#{room}"
        await server.aclose()


async def test_who_may_enter_is_in_the_room(port: int) -> None:
    """A private room is a channel like any other for its members, and is in their list."""
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    await join(ada, SECRET)
    assert any(line.command == "332" and line.params[-1] == TITLE for line in ada.heard)
    listed = [line.params[1] for line in await ada.since("LIST") if line.command == "322"]
    assert {"#lobby", f"#{GIVEN}"} <= set(listed)


async def test_losing_access_is_a_kick_out_of_that_channel(port: int, chat: Chat, doors: Doors) -> None:
    """The other channels go on; the room does not exist for that person any more."""
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    await join(ada, SECRET, "lobby")
    del doors.access["ada"]
    await chat.refresh("ada")
    kicked = await ada.line("KICK")
    assert kicked.params[:2] == (f"#{SECRET}", "Ada")
    heard = await ada.since(f"PRIVMSG #{SECRET} :hi", f"JOIN #{SECRET}", "PRIVMSG #lobby :hi", f"TOPIC #{SECRET}")
    assert [line.command for line in heard] == ["403"] * 3
    lobby = chat.get("lobby")
    assert lobby is not None
    assert [message.text for message in await lobby.history()] == ["hi"]


async def test_losing_the_right_to_write_is_told_by_the_next_message(port: int, chat: Chat, doors: Doors) -> None:
    """Who may only read stays in the channel, and is told so."""
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    await join(ada, SECRET)
    doors.access["ada"] = "read"
    await chat.refresh("ada")
    refused = await ada.since(f"PRIVMSG #{SECRET} :hi")
    assert [(line.command, line.params[-1]) for line in refused] == [
        ("404", "You may read this room, but not write in it.")
    ]


async def test_deleting_a_room_is_a_kick_out_of_that_channel(port: int, chat: Chat) -> None:
    """The other channels go on."""
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    await join(ada, SECRET, "lobby")
    await chat.delete_room(SECRET)
    kicked = await ada.line("KICK")
    assert kicked.params[:2] == (f"#{SECRET}", "Ada")
    assert await ada.since("PRIVMSG #lobby :hi") == []


async def test_one_login_has_its_nick_on_several_clients(port: int) -> None:
    """Also where one of them is in a private room already; nobody else gets the nick."""
    ada = await IrcPerson.enter(port, "Ada", None, password="ada")
    await join(ada, SECRET)
    again = await IrcPerson.enter(port, "Ada", None, password="ada")
    await join(again, SECRET)
    eve = await IrcPerson.connect(port)
    eve.say("PASS eve", "NICK Ada", "USER eve 0 * :Eve")
    await eve.line("433")


async def test_a_direct_room_is_no_channel(port: int, chat: Chat) -> None:
    """Its members cannot join it, and its name is answered like one of no room."""
    room = await chat.direct("ada", "bob")
    ada = await IrcPerson.enter(port, "ada", None, password="ada")
    heard = await ada.since(f"JOIN #{room.name}", "JOIN #direct-nothing")
    assert [line.command for line in heard] == ["403", "403"]
    assert heard[0].params[-1] == heard[1].params[-1]
