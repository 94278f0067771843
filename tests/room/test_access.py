"""What a visitor may do in a room: asked on entering and again when the app says so, and checked for every command."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from pychat import Access, Chat, ChatRoom, Close, Deleted, Message, Position, Refused, RoomSettings, User
from pychat.room.session import Session
from pychat.stores import MemoryStore, Page
from pychat.testing import RecordingConnection
from tests.room.visiting import ADA, BOB, Visitor, enter, request


class Rights:
    """What each user may do, which a test changes. `None` is for guests."""

    def __init__(self, **rights: object) -> None:
        self.rights = rights
        self.asked: list[str] = []
        #: While it is not set, the app does not answer.
        self.answers = asyncio.Event()
        self.answers.set()

    async def access(self, user: User | None, room: str) -> object:
        """What the app answers."""
        name = "guest" if user is None else user.id
        self.asked.append(f"{name} {room}")
        await self.answers.wait()
        given = self.rights.get(name, "none")
        if isinstance(given, Exception):
            raise given
        return given

    def chat(self, *rooms: ChatRoom, store: MemoryStore | None = None) -> Chat:
        """A chat in which every room exists."""
        return Chat(
            *rooms,
            access=self.access,  # type: ignore[arg-type]  # of any type: that is what is tested
            find_room=lambda *_: RoomSettings(),
            store=store or "memory:",
        )


async def refused(call: Callable[[], object]) -> str:
    """The code of a refusal."""
    with pytest.raises(Refused) as refusal:
        await call()  # type: ignore[misc]  # an answer
    return refusal.value.code


@pytest.mark.parametrize(
    ("given", "may"),
    [
        ("read", "history who"),
        (["read", "react"], "history who react"),
        ("write", "history who react say type edit delete"),
        (["read", "moderate"], "history who delete moderate"),
        ("moderate", "history who react say type edit delete moderate"),
    ],
)
async def test_every_command_is_checked(given: object, may: str) -> None:
    """Each command needs its permission; the visitor is told in words, and nothing is stored."""
    rights = Rights(bob="write", ada=given)
    async with rights.chat() as chat:
        bob, ada = await enter(chat, "a", BOB), await enter(chat, "a", ADA)
        room = chat.get("a")
        assert room is not None
        for text in ("theirs", "another"):
            await bob.say(text)
        own = await room.post("own", author=ADA)
        session = ada.session
        commands: dict[str, Callable[[], object]] = {
            "history": session.history,
            "who": session.who,
            "react": lambda: session.react(1, "👍"),
            "say": lambda: session.say("hi"),
            "type": lambda: session.set_typing(on=True),
            "edit": lambda: session.edit(own.seq, "changed"),
            "delete": lambda: session.delete(own.seq),
            "moderate": lambda: session.delete(1),
        }
        allowed = may.split()
        for name, command in commands.items():
            if name in allowed:
                await command()  # type: ignore[misc]  # an answer
            elif name == "moderate" and "write" in Access.of(given):
                assert await refused(command) == "not_yours"
            else:
                assert await refused(command) == "forbidden"
        assert sorted(Access.of(given)) == sorted(session.access)


async def test_a_welcome_tells_what_one_may_do() -> None:
    """If that is not the usual; who may read only is no member less, and has a name."""
    rights = Rights(ada="read", bob="write")
    async with rights.chat() as chat:
        ada, bob = await enter(chat, "a", ADA), await enter(chat, "a", BOB)
        welcome = await ada.event("welcome")
        assert (welcome["access"], welcome["you"]["name"]) == (["read"], "Ada")
        assert "access" not in await bob.event("welcome")


async def test_a_refresh_is_felt_at_once() -> None:
    """Open connections gain and lose what the app says, in every room; others are not asked about."""
    rights = Rights(ada="write", bob="write")
    async with rights.chat() as chat:
        ada, elsewhere, bob = await enter(chat, "a", ADA), await enter(chat, "b", ADA), await enter(chat, "a", BOB)
        rights.asked.clear()
        rights.rights["ada"] = "read"
        await chat.refresh("ada")
        assert sorted(rights.asked) == ["ada a", "ada b"]
        assert (await ada.event("access"))["access"] == ["read"]
        assert (await ada.say("hi"))["error"]["code"] == "forbidden"
        rights.rights["ada"] = "moderate"
        await chat.refresh("ada")
        told = [fields["access"][-1] for name, fields in elsewhere.connection.events if name == "access"]
        assert told == ["read", "moderate"]
        assert (await ada.say("hi"))["ok"]
        await chat.refresh("ada")
        rights.rights["ada"] = "none"
        await chat.refresh("ada")
        assert ada.connection.closed is elsewhere.connection.closed is Close.NO_ACCESS
        assert [name for name, _ in ada.connection.events].count("access") == 2
        heard = len(ada.connection.events)
        await bob.say("without Ada")
        assert len(ada.connection.events) == heard
        room = chat.get("a")
        assert room is not None
        assert [member.name for member in room.members] == ["Bob"]
        await chat.refresh("nobody")


async def test_a_refresh_for_everybody() -> None:
    """Without a user's id, everybody is asked about, guests too: a room that was public is not any more."""
    rights = Rights(guest="write", ada="write")
    async with rights.chat() as chat:
        guest, ada = await enter(chat, "a"), await enter(chat, "a", ADA)
        rights.rights["guest"] = "none"
        await chat.refresh()
        assert guest.connection.closed is Close.NO_ACCESS
        assert ada.connection.closed is None


async def test_if_the_app_cannot_say_nobody_stays(caplog: pytest.LogCaptureFixture) -> None:
    """A refresh that fails closes the connections of that user, who may come back; a leak would be worse."""
    rights = Rights(ada="write", bob="write")
    async with rights.chat() as chat:
        ada, bob = await enter(chat, "a", ADA), await enter(chat, "a", BOB)
        rights.rights["ada"] = RuntimeError("the database is away")
        with caplog.at_level(logging.ERROR):
            await chat.refresh("ada")
        assert ada.connection.closed is Close.UNAVAILABLE
        assert bob.connection.closed is None
        assert "the database is away" in caplog.text


# What happens between two awaits.


async def until(condition: Callable[[], object]) -> None:
    """Let the event loop run until this is so."""
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0)


async def test_access_is_lost_while_somebody_enters() -> None:
    """Who lost access after they were asked about, and before they are in, gets no welcome."""
    rights = Rights(ada="write")
    async with rights.chat() as chat:
        connection = RecordingConnection()
        room, grant = await chat.directory.find("a", ADA, request())
        rights.rights["ada"] = "none"
        await chat.refresh("ada")
        with pytest.raises(Refused) as refusal:
            await room.connect(connection, user=ADA, grant=grant)
        assert refusal.value.code == "unknown_room"
        assert connection.events == []
        assert room.here == 0


async def test_the_newest_answer_counts() -> None:
    """Of two refreshes at the same time, the later one decides, whichever is answered first."""
    rights = Rights(ada="write")
    async with rights.chat() as chat:
        ada = await enter(chat, "a", ADA)
        rights.answers.clear()
        first = asyncio.create_task(chat.refresh("ada"))
        await until(lambda: len(rights.asked) == 2)
        second = asyncio.create_task(chat.refresh("ada"))
        await until(lambda: len(rights.asked) == 3)
        rights.rights["ada"] = "read"
        rights.answers.set()
        await asyncio.gather(first, second)
        assert ada.session.access == Access.READ
        assert [name for name, _ in ada.connection.events].count("access") == 1


class SlowStore(MemoryStore):
    """A memory store whose history waits for the test."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.go.set()
        self.reading = 0

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Wait, then read."""
        self.reading += 1
        await self.go.wait()
        return await super().history(room, before=before, limit=limit, matching=matching)


async def test_access_is_lost_while_a_command_waits_for_the_store() -> None:
    """What the command reads is not handed out, and the commands behind it are refused."""
    store, rights = SlowStore(), Rights(ada="write", bob="write")
    async with rights.chat(store=store) as chat:
        ada, bob = await enter(chat, "a", ADA), await enter(chat, "a", BOB)
        await bob.say("secret")
        store.go.clear()
        reading = store.reading
        page, said = ada.session.history(before=2), ada.session.say("me too")
        await until(lambda: store.reading > reading)
        rights.rights["ada"] = "none"
        await chat.refresh("ada")
        store.go.set()
        with pytest.raises(Refused):
            await page
        with pytest.raises(Refused):
            await said
        room = chat.get("a")
        assert room is not None
        assert [message.text for message in await room.history()] == ["secret"]


async def test_access_is_lost_while_a_hook_looks_at_a_message() -> None:
    """The message is refused after the hook: what somebody may do is looked at again."""
    rights = Rights(ada="write")
    async with rights.chat() as chat:
        looking, go = asyncio.Event(), asyncio.Event()

        @chat.on("message")
        async def wait(message: Message) -> None:
            looking.set()
            await go.wait()

        ada = await enter(chat, "a", ADA)
        said = ada.session.say("too late")
        await looking.wait()
        rights.rights["ada"] = "read"
        await chat.refresh("ada")
        go.set()
        with pytest.raises(Refused) as refusal:
            await said
        assert refusal.value.code == "forbidden"
        room = chat.get("a")
        assert room is not None
        assert await room.history() == []


async def test_a_room_is_deleted_while_somebody_enters() -> None:
    """Who was about to enter is told that there is no such room; the deleted room does not come back by that."""
    store = MemoryStore()
    async with Chat(store=store) as chat:
        await chat.open("a", title="Secret")
        room, grant = await chat.directory.find("a", ADA, request())
        await chat.delete_room("a")
        with pytest.raises(Refused) as refusal:
            await room.connect(RecordingConnection(), user=ADA, grant=grant)
        assert refusal.value.code == "unknown_room"
        assert chat.get("a") is None
        with pytest.raises(Refused):
            await enter(chat, "a", ADA)
        assert await chat.rooms() == []


async def test_a_room_is_let_go_while_somebody_enters() -> None:
    """Nobody is lost, no message is lost, and each name has one room, wherever in between the room was let go."""
    for turns in range(12):
        async with Rights(ada="write", bob="write").chat(store=MemoryStore()) as chat:
            connection = RecordingConnection()

            async def come(connection: RecordingConnection, chat: Chat) -> Session:
                room, grant = await chat.directory.find("a", ADA, request())
                return await room.connect(connection, user=ADA, grant=grant)

            first = await enter(chat, "a", BOB)
            await first.say("before")
            await first.close()
            coming = asyncio.create_task(come(connection, chat))
            for _ in range(turns):
                await asyncio.sleep(0)
            rooms = chat.directory.rooms
            face = rooms.get("a")
            if face is not None and face.backend.idle:  # as when it was idle for long enough
                del rooms._open["a"]
                face.backend.rest()
            del face
            session = await coming
            bob = await enter(chat, "a", BOB)
            await bob.say("hello")
            visitor = Visitor(session, connection)
            assert (await visitor.event("message"))["text"] == "hello"
            assert [message["text"] for message in (await visitor.event("welcome"))["messages"]] == ["before"]
            room = chat.get("a")
            assert room is not None
            assert {member.name for member in room.members} == {"Ada", "Bob"}


async def test_a_moderator_deletes_over_the_chat_alone_where_allowed() -> None:
    """The access to one room gives no power in another."""

    async def access(user: User | None, room: str) -> Access:
        return Access.MODERATE if room == "own" else Access.WRITE

    async with Chat(access=access, find_room=lambda *_: RoomSettings(), store=MemoryStore()) as chat:
        for name, expected in (("own", None), ("other", "not_yours")):
            ada, bob = await enter(chat, name, ADA), await enter(chat, name, BOB)
            await bob.say("theirs")
            if expected is None:
                assert isinstance(await ada.session.delete(1), Deleted)
            else:
                assert await refused(lambda ada=ada: ada.session.delete(1)) == expected  # type: ignore[misc]


async def test_recovery_needs_access_too() -> None:
    """A position from before does not open the room to who lost access."""
    rights = Rights(ada="write")
    async with rights.chat() as chat:
        ada = await enter(chat, "a", ADA)
        await ada.say("mine")
        room = chat.get("a")
        assert room is not None
        position = room.position
        assert isinstance(position, Position)
        await ada.drop()
        rights.rights["ada"] = "none"
        with pytest.raises(Refused):
            await chat.directory.find("a", ADA, request())
