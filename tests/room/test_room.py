"""`ChatRoom`: hooks, posts, history, presence and the way in, without a socket."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pychat import HOOKS, ChatRoom, Limits, Member, Message, Position, Refused, UsageError
from pychat.domain.errors import Close
from pychat.domain.model import Away, Event, Joined, Left, LogEvent
from pychat.domain.notices import Notice
from pychat.stores import MemoryStore, Page, Receiver, Retention, Subscription, open_store
from pychat.testing import FakeClock, Person, RecordingConnection


async def test_post_speaks_without_joining() -> None:
    """Code can speak in a room; everyone hears it, and it is in the history."""
    room = ChatRoom()
    bob = await Person.enter(room)
    stored = await room.post("Deployed.", author="bot")
    assert (await bob.event("message"))["text"] == "Deployed."
    assert [stored] == await room.history()
    assert room.members == ()
    again = [await room.post("Once.", author="bot", id="x") for _ in range(2)]
    assert again[0] == again[1]
    with pytest.raises(Refused):
        await room.post(" ", author="bot")


async def test_history_reads_backwards_in_pages() -> None:
    """The last ones, or the last ones before a number; oldest first."""
    room = ChatRoom()
    for number in range(1, 8):
        await room.post(str(number), author="bot")
    assert [5, 6, 7] == [message.seq for message in await room.history(limit=3)]
    assert [2, 3, 4] == [message.seq for message in await room.history(before=5, limit=3)]
    assert [1] == [message.seq for message in await room.history(before=2, limit=3)]
    assert [] == await room.history(before=1)


async def test_hooks_change_and_refuse_in_order() -> None:
    """Hooks run in the order in which they were hung in, sync or async, and see each other's changes."""
    room = ChatRoom()

    @room.on("message")
    def louder(message: Message) -> Message:
        return Message(message.id, message.author, message.text + "!", message.date)

    @room.on("message")
    async def polite(message: Message) -> None:
        await asyncio.sleep(0)
        if message.text.isupper():
            raise Refused("shouting", "Please lower your voice.")

    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    assert (await ada.say("HI"))["error"] == {"code": "shouting", "text": "Please lower your voice."}
    assert (await ada.say("hi"))["ok"]
    assert (await bob.event("message"))["text"] == "hi!"


async def test_a_hook_that_fails_refuses_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A bug in a hook reaches the log, not the room; the room goes on."""
    room = ChatRoom()
    room.on("message", lambda message: 1 / 0 if message.text == "boom" else None)  # type: ignore[call-overload]  # the mistake
    room.on("event", lambda _: 1 / 0)
    ada = await Person.enter(room)
    await ada.join("Ada")
    assert (await ada.say("boom"))["error"]["code"] == "internal"
    assert (await ada.say("fine"))["ok"]
    assert "ZeroDivisionError" in caplog.text


async def test_join_hooks_may_change_the_name() -> None:
    """And the changed name is held to the same rules."""
    room = ChatRoom()
    room.on("join", lambda member: Member(member.id, f"Dr {member.name}"))
    ada, bob = await Person.enter(room), await Person.enter(room)
    assert (await ada.join("Ada"))["member"]["name"] == "Dr Ada"
    assert (await bob.join("ADA"))["error"]["code"] == "name_taken"


async def test_event_and_leave_hooks_hear_what_happened() -> None:
    """In order, after it happened."""
    room, heard, others, left = ChatRoom(), list[Event](), list[Event](), list[Member]()
    room.on("event", heard.append)
    room.backend.core.hooks.add("event", others.append, messages=False)
    room.on("leave", left.append)
    ada = await Person.enter(room)
    await ada.join("Ada")
    await ada.say("hi")
    await ada.close()
    await room.aclose()  # which waits for hooks
    assert [Joined, Message, Left] == [type(event) for event in heard]
    assert [Joined, Left] == [type(event) for event in others]
    assert ["Ada"] == [member.name for member in left]


def test_a_mistake_of_the_programmer_is_named() -> None:
    """Wrong hooks, room names and stores say what to do instead."""
    room = ChatRoom()

    with pytest.raises(UsageError, match="message, edit, delete, react, mention, join, leave, report, moderate, event"):
        room.on("mesage", print)  # type: ignore[call-overload]  # the mistake
    with pytest.raises(UsageError, match="a function"):
        room.on("event", "print")  # type: ignore[call-overload]  # the mistake
    with pytest.raises(UsageError, match="1-64"):
        ChatRoom("no spaces")
    with pytest.raises(UsageError, match="memory:"):
        open_store("mysql:")
    assert list(HOOKS) == [
        "message",
        "edit",
        "delete",
        "react",
        "mention",
        "join",
        "leave",
        "report",
        "moderate",
        "event",
    ]


async def test_two_tabs_are_one_member() -> None:
    """A member is here until the last connection has gone, and is counted once."""
    room = ChatRoom()
    ada = await Person.enter(room)
    token = (await ada.join("Ada"))["token"]
    tab = await Person.enter(room)
    assert room.here == 2
    assert (await tab.join("Ada", token))["ok"]
    assert (room.here, len(room.members)) == (1, 1)
    await ada.say("hi")
    assert (await tab.event("message"))["text"] == "hi"
    await ada.drop()
    assert [member.name for member in room.members] == ["Ada"]
    await tab.close()
    assert (room.here, room.members) == (0, ())


async def test_the_name_of_who_dropped_is_held_for_them() -> None:
    """Others cannot take it, until the grace time is over; who comes back with the token has it, without saying it."""
    room, heard = ChatRoom(grace=0.2), list[Event]()
    room.on("event", heard.append)
    ada, bob = await Person.enter(room), await Person.enter(room)
    token = (await ada.join("Ada"))["token"]
    await ada.drop()
    assert (room.here, room.members) == (1, ())
    assert (await bob.join("Ada"))["error"]["code"] == "name_taken"
    ada = await Person.enter(room)
    assert (await ada.command("join", {"token": token}))["member"]["name"] == "Ada"
    await ada.drop()
    left = asyncio.Event()

    @room.on("leave")
    async def gone(_: Member) -> None:
        left.set()

    await asyncio.wait_for(left.wait(), 5)
    assert (await bob.join("Ada"))["ok"]
    ada = await Person.enter(room)
    assert (await ada.command("join", {"token": token}))["error"]["code"] == "name_taken"
    await room.aclose()  # which waits for hooks
    assert [Joined, Away, Joined, Away, Left, Joined] == [type(event) for event in heard][:6]


async def test_code_can_edit_and_delete() -> None:
    """A bot streams its answer by editing it; a moderator takes a message back."""
    room = ChatRoom()
    bob = await Person.enter(room)
    said = await room.post("Thinking …", author="bot")
    assert (await room.edit(said.seq, "42")).text == "42"
    assert (await bob.event("edited"))["text"] == "42"
    await room.delete(said.seq)
    assert (await bob.event("deleted"))["target"] == said.seq
    assert [(each.text, each.deleted) for each in await room.history()] == [("", True)]
    with pytest.raises(Refused):
        await room.edit(said.seq, "x")
    with pytest.raises(Refused):
        await room.message(99)


async def test_what_was_deleted_is_not_told_to_who_comes_back() -> None:
    """Neither the text nor its edits: a mark."""
    room = ChatRoom()
    await room.start()
    ada = await Person.enter(room)
    await ada.join("Ada")
    said = await ada.say("secret")
    await ada.command("edit", {"target": said["seq"], "text": "more secret"})
    await ada.command("delete", {"target": said["seq"]})
    bob = await Person.enter(room, since=Position(room.position.epoch, 0))
    await bob.event("deleted")
    assert "secret" not in str(bob.connection.events)


class Joining:
    """A wire whose frames are lists of texts, and can be joined."""

    def encode(self, notice: Notice) -> list[str] | None:
        """A message's text."""
        return [notice.text] if isinstance(notice, Message) else None

    def join(self, frames: list[list[str]]) -> list[str]:
        """One list."""
        return [text for frame in frames for text in frame]


async def test_a_storm_of_joins_is_gathered() -> None:
    """200 joins reach a member in a few notices, and together they tell of everyone."""
    room = ChatRoom(limits=Limits(listed=1000))
    watcher = await Person.enter(room)
    people = [await Person.enter(room) for _ in range(200)]
    for number, person in enumerate(people):
        await person.join(f"Person {number}")
    joined = set[str]()
    notices = 0
    told: dict[str, Any] = {}
    while len(joined) < 200:
        told = await watcher.event("presence")
        notices += 1
        joined |= {member["name"] for member in told.get("joined", ())}
    assert told["here"] == 201
    assert notices < 20


async def test_what_comes_close_together_leaves_together() -> None:
    """Messages at turns of the loop that follow each other are one write, and are not held back without end."""
    room = ChatRoom()
    reader = await Person.enter(room)
    writes: list[list[str]] = []

    class Counting:
        encoder = Joining()

        def send(self, frame: list[str]) -> None:
            writes.append(frame)

        def close(self, why: Close) -> None:
            raise AssertionError(why)

    await room.connect(Counting())
    for _ in range(20):
        await asyncio.sleep(0)
    writes.clear()
    for number in range(100):
        await room.post(f"{number}", author="bot")
        if number == 0:
            await asyncio.sleep(0)
            assert [] == writes
        elif number > 20:
            await asyncio.sleep(0)
    assert [f"{number}" for number in range(100)] == [(await reader.event("message"))["text"] for _ in range(100)]
    texts = [text for frame in writes for text in frame]
    assert [f"{number}" for number in range(100)] == texts
    assert 8 < len(writes) < 20, "8 turns at the most in each"


async def test_a_crowd_is_counted_and_listed_again_when_it_thins() -> None:
    """Beyond the limit nobody is listed; when it is kept again, everyone is told once."""
    room = ChatRoom(limits=Limits(listed=2))
    watcher = await Person.enter(room)
    people = [await Person.enter(room) for _ in range(3)]
    for number, person in enumerate(people):
        await person.join(f"Person {number}")
    while (told := await watcher.event("presence"))["listed"]:
        pass
    assert told == {"here": 4, "listed": False}
    assert (await (await Person.enter(room)).event("welcome"))["listed"] is False
    await people[0].close()
    while not (told := await watcher.event("presence"))["listed"]:
        pass
    assert ["Person 1", "Person 2"] == [member["name"] for member in told["members"]]


async def test_typing_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who stops writing without a word is not shown as writing for ever."""
    monkeypatch.setattr("pychat.room.session.TYPING_SECONDS", 0.05)
    room = ChatRoom()
    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    await ada.command("typing", {"on": True})
    assert [True, False] == [(await bob.event("typing"))["on"] for _ in range(2)]


async def test_the_wall_clock_changes_no_order_and_no_limit() -> None:
    """Set back an hour: messages keep their order, and nobody waits."""
    clock = FakeClock()
    room = ChatRoom(clock=clock, limits=Limits(rate=1, burst=3))
    ada = await Person.enter(room)
    await ada.join("Ada")
    first = await ada.say("one")
    clock.set_date(clock.date() - 3600)
    second = await ada.say("two")
    assert second["seq"] == first["seq"] + 1
    assert second["date"] < first["date"]
    assert (await ada.say("three"))["error"]["code"] == "rate_limited"
    clock.move(1)
    assert (await ada.say("three"))["ok"]


class SlowStore(MemoryStore):
    """A store whose reads wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()
        self.reading = asyncio.Event()

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Read first, hand out later: what happens in between is not in it."""
        events = await super().events(room, after=after, limit=limit)
        self.reading.set()
        await self.go.wait()
        return events


async def test_what_happens_while_the_log_is_read_comes_after_it() -> None:
    """No gap and nothing twice for somebody who comes back, to a server that has just started, while others speak."""
    store = SlowStore()
    store.go.set()
    early = ChatRoom(store=store)
    first = await early.post("before", author="bot")
    store.go.clear()
    store.reading.clear()
    room = ChatRoom(store=store)
    entering = asyncio.create_task(Person.enter(room, since=Position(early.position.epoch, first.seq - 1)))
    await store.reading.wait()
    await early.post("meanwhile", author="bot")
    store.go.set()
    bob = await entering
    await early.post("after", author="bot")
    assert (await bob.event("welcome"))["recovered"] is True
    assert ["before", "meanwhile", "after"] == [(await bob.event("message"))["text"] for _ in range(3)]


async def test_a_gap_that_cannot_be_filled_is_no_recovery() -> None:
    """Too old, too many, or from the future: the newest page, and `recovered` is false."""
    room = ChatRoom(store=MemoryStore(Retention(count=4)), limits=Limits(history=2, page=3))
    for number in range(8):
        await room.post(str(number), author="bot")
    epoch = (await (await Person.enter(room)).event("welcome"))["epoch"]
    for since, expected in ((5, [6, 7, 8]), (8, [])):
        bob = await Person.enter(room, since=Position(epoch, since))
        welcome = await bob.event("welcome")
        assert (welcome["recovered"], welcome["seq"]) == (True, since)
        assert expected == [(await bob.event("message"))["seq"] for _ in expected]
    for since in (1, 2, 4, 9, -1):
        welcome = await (await Person.enter(room, since=Position(epoch, since))).event("welcome")
        assert (welcome["recovered"], [message["seq"] for message in welcome["messages"]]) == (False, [7, 8])


async def test_closing_a_room_says_goodbye() -> None:
    """Everyone is told why, and nothing is left running."""
    room = ChatRoom()
    ada = await Person.enter(room)
    await room.aclose()
    assert (await ada.event("bye"))["reason"] == "shutdown"
    assert room.here == 0


@pytest.mark.parametrize(
    ("author", "given"), [("", None), ("a\nb", None), ("x" * 33, None), ("bot", "no spaces"), ("bot", "")]
)
async def test_code_posts_under_the_same_rules(author: str, given: str | None) -> None:
    """Names and ids that would break a page or a console are refused to programs too; reserved names are theirs."""
    room = ChatRoom()
    with pytest.raises(Refused):
        await room.post("hi", author=author, id=given)
    assert (await room.post("hi", author="Admin")).author.name == "Admin"


class Stumbling(MemoryStore):
    """A store that cannot be read at first, and can be subscribed to once."""

    subscribed = 0

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        """Count."""
        self.subscribed += 1
        return await super().subscribe(room, receive)

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Fail while nothing has been said."""
        if self._logs.open(room).seq == 0:
            raise Refused("unavailable", "Not now.", 1.0)
        return await super().events(room, after=after, limit=limit)


async def test_a_room_that_could_not_open_opens_later() -> None:
    """It subscribes once, and what happened between two tries is not told twice."""
    store = Stumbling()
    room = ChatRoom(store=store)
    with pytest.raises(Refused, match="Not now"):
        await room.start()
    await store.append("lobby", Message("m", Member("x", "X"), "meanwhile", 0.0))
    bob = await Person.enter(room)
    assert [each["text"] for each in (await bob.event("welcome"))["messages"]] == ["meanwhile"]
    await room.post("after", author="bot")
    assert (await bob.event("message"))["seq"] == 2
    assert store.subscribed == 1


class Counting(MemoryStore):
    """A store that counts what it is asked."""

    asked = 0

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        """Count."""
        self.asked += 1
        return await super().events(room, after=after, limit=limit)

    async def history(
        self, room: str, *, before: int | None = None, limit: int = 50, matching: str | None = None
    ) -> Page:
        """Count."""
        self.asked += 1
        return await super().history(room, before=before, limit=limit, matching=matching)


async def test_a_storm_of_returns_is_answered_from_one_encoded_tail(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come back at once, the store is asked nothing, and each missed event is encoded once."""
    store = Counting()
    room = ChatRoom(store=store)
    for number in range(100):
        await room.post(str(number), author="bot")
    asked, encoded = store.asked, list[int]()
    encoder = RecordingConnection.encoder
    real = type(encoder).encode

    def encode(self: Any, notice: Any) -> Any:
        if isinstance(notice, Message):
            encoded.append(notice.seq)
        return real(self, notice)

    monkeypatch.setattr(type(encoder), "encode", encode)
    people = [await Person.enter(room, since=Position(room.position.epoch, 40)) for _ in range(500)]
    for person in (people[0], people[-1]):
        assert list(range(41, 101)) == [(await person.event("message"))["seq"] for _ in range(60)]
    assert store.asked == asked
    assert list(range(41, 101)) == encoded


async def test_a_newcomer_gets_as_many_messages_as_have_16384_characters():
    """Long texts are not sent to each newcomer by the megabyte; `more` says that history has them. One is always sent."""
    for size, posted, told in ((2_000, 60, 8), (40, 60, 50), (40_000, 2, 1)):
        room = ChatRoom(limits=Limits(text=40_000))
        for number in range(posted):
            await room.post(f"{number:02}{'x' * (size - 2)}", author="bot")
        welcome = await (await Person.enter(room)).event("welcome")
        assert (told, True) == (len(welcome["messages"]), welcome["more"])
        assert welcome["messages"][-1]["text"].startswith(f"{posted - 1:02}")
        await room.aclose()


@pytest.mark.parametrize("url", ["memory:", "sqlite:"])
async def test_history_reads_forwards_in_pages(url: str, tmp_path: Path) -> None:
    """The first ones after a number, as they stand, oldest first; what is between them counts for nothing."""
    async with ChatRoom("tea", store=url if url == "memory:" else f"{url}{tmp_path / 'chat.db'}") as room:
        ada = await Person.enter(room)
        await ada.join("Ada")
        for number in range(1, 4):
            await room.post(str(number), author="bot")
        for number in range(600):  # more events than are read at once
            await room.edit(2, f"two {number}")
        await room.delete(1)
        await room.post("4", author="bot")  # number 605
        assert [1, 2] == [message.seq for message in await room.history(after=0, limit=2)]
        assert ["", "two 599"] == [message.text for message in await room.history(after=0, limit=2)]
        assert [3, 605] == [message.seq for message in await room.history(after=2)]
        assert [3] == [message.seq for message in await room.history(after=2, limit=1)]
        assert [2] == [message.seq for message in await room.history(after=1, before=3)]
        assert [] == await room.history(after=605) == await room.history(after=3, before=605)
        assert [] == await room.history(after=0, limit=0)
        assert {"tea"} == {message.room for message in await room.history(after=0)}
        with pytest.raises(UsageError, match="before"):
            await room.history(after=0, matching="two")
        read, after = list[int](), 0
        while page := await room.history(after=after, limit=3):
            read += [message.seq for message in page]
            after = page[-1].seq
        assert read == [1, 2, 3, 605]
        assert await asyncio.to_thread(lambda: room.threadsafe.history(after=3)) == await room.history(after=3)
