"""A channel that a client may not enter tells it neither who is there nor what was said."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from pychat import ChatRoom, Refused, Request, User
from pychat.stores.memory import MemoryStore
from pychat.stores.store import Page
from pychat.transports.irc.line import Line
from tests.irc.conftest import Enter, Open
from tests.irc.person import CAPS, IrcPerson

ASKING = (
    *("NAMES #lobby", "NAMES #LOBBY,#lobby", "NAMES", "WHO #lobby", "WHO ADA", "WHO", "WHOIS ADA", "ISON ADA"),
    *("USERHOST ADA", "LIST", "LIST #lobby", "MOTD", "LUSERS", "TOPIC #lobby", "MODE #lobby", "MODE #lobby b"),
    *("JOIN #lobby", "PART #lobby", "PRIVMSG #lobby :hi", "PRIVMSG ADA :hi", "TAGMSG #lobby", "REDACT #lobby 1.x"),
    *("CHATHISTORY LATEST #lobby * 10", "CHATHISTORY AROUND #lobby timestamp=2026-01-01T00:00:00.000Z 10"),
    *("CHATHISTORY TARGETS timestamp=2020-01-01T00:00:00.000Z timestamp=2030-01-01T00:00:00.000Z 10",),
)
SETTINGS = [{"entry": "members"}, {"entry": "ask"}, {"entry": "closed"}, {"password": "sesame"}, {"challenge": True}]


def told(heard: list[Line]) -> set[str]:
    """What of this was told: a member, a message. The questions have the name in capitals, so no answer repeats it."""
    found = {word for word in ("ada", "Ada", "the plan") if word in repr([line.params for line in heard])}
    return found | {line.command for line in heard if line.command in ("302", "303") and line.params[-1]}


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
async def test_who_may_not_enter_is_told_nothing(room: ChatRoom, enter: Enter, settings: dict[str, Any]) -> None:
    """Whatever is asked: no member, no message; as soon as the room is open again, everything."""
    ada = await enter("ada")
    assert await ada.since("PRIVMSG #lobby :the plan") == []
    await room.moderation.set(**settings)
    eve = await enter("eve", None, caps=CAPS)
    assert told(await eve.since(*ASKING)) == set()
    opening: dict[str, Any] = {"entry": "open", "password": "", "challenge": False}
    await room.moderation.set(**{name: opening[name] for name in settings})
    await ada.since("JOIN #lobby")  # a closed room has put everybody out
    for question in ("NAMES #lobby", "WHO #lobby", "WHO ADA", "WHOIS ADA", "ISON ADA", "USERHOST ADA"):
        assert told(await eve.since(question)), question


async def test_who_is_banned_is_told_nothing(room: ChatRoom, opened: Open) -> None:
    """A ban ends the asking too, for that person alone."""

    def who(asking: Request) -> User | None:
        return User(asking.bearer, asking.bearer.title()) if asking.bearer else None

    server = await opened(room, authenticate=who)
    ada = await IrcPerson.enter(server.port, "ada", password="ada")
    eve = await IrcPerson.enter(server.port, "eve", caps=CAPS, password="eve")
    bob = await IrcPerson.enter(server.port, "bob", None, password="bob")
    assert await ada.since("PRIVMSG #lobby :the plan") == []
    await eve.line("PRIVMSG")
    await room.moderation.ban("user:eve")
    await eve.line("KICK")
    assert told(await eve.since(*ASKING)) == set()
    assert told(await bob.since("NAMES #lobby")) == {"Ada"}


async def test_whom_the_app_refuses_is_told_nothing(opened: Open) -> None:
    """A channel from which the app keeps a person tells no members; the others do."""
    lobby, staff = ChatRoom("lobby"), ChatRoom("staff")

    def who(asking: Request) -> User | None:
        if asking.room == "staff" and asking.bearer != "ada":
            raise Refused("forbidden", "For staff.")
        return User(asking.bearer or "", str(asking.bearer).title())

    server = await opened(lobby, staff, authenticate=who)
    await IrcPerson.enter(server.port, "ada", "#staff", password="ada")
    eve = await IrcPerson.enter(server.port, "eve", "#lobby", password="eve")
    assert told(await eve.since(*(question.replace("lobby", "staff") for question in ASKING))) == set()


class SlowStore(MemoryStore):
    """A store that reads messages, and waits with the answer while a test wants that."""

    def __init__(self) -> None:
        super().__init__()
        self.has_read, self.answers = asyncio.Event(), asyncio.Event()
        self.answers.set()

    async def history(self, room: str, **limits: Any) -> Page:
        """Read, and wait."""
        page = await super().history(room, **limits)
        if page.messages:
            self.has_read.set()
            await self.answers.wait()
        return page


async def test_history_that_is_read_while_a_ban_comes_is_not_sent(opened: Open) -> None:
    """The store answers after the client was put out: it gets nothing of the answer."""
    store = SlowStore()
    room = ChatRoom("lobby", store=store)
    server = await opened(room)
    ada = await IrcPerson.enter(server.port, "ada")
    assert await ada.since("PRIVMSG #lobby :the plan") == []
    eve = await IrcPerson.enter(server.port, "eve", caps=CAPS)
    store.has_read.clear()
    store.answers.clear()
    before = len(eve.heard)
    eve.say("CHATHISTORY LATEST #lobby * 10", "PING :end")
    async with asyncio.timeout(10):
        await store.has_read.wait()
    await room.moderation.ban(next(member.id for member in room.members if member.name == "eve"))
    await eve.line("KICK")
    store.answers.set()
    await eve.line("PONG")
    heard = repr(eve.heard[before:])
    assert "the plan" not in heard
    assert "INVALID_TARGET" in heard
