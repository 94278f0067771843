"""What members have read: positions that are stored together, and counts that change while somebody watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from pychat import Refused, User
from pychat.domain.model import Member
from pychat.room.chat import Chat
from pychat.stores import MemoryStore, Unread
from pychat.stores.memory.reader_records import MemoryReaders
from pychat.stores.memory.room_records import MemoryRooms
from pychat.testing import FakeClock, Person, RecordingConnection
from tests.room.reading import ADA, BOB, CLEO, Watcher, enter, eventually, late, settle


class CountingReaders(MemoryReaders):
    """Counts how often it is written."""

    writes = 0

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        """Count a batch."""
        self.writes += 1
        await super().mark(reads)


class CountingStore(MemoryStore):
    """A store in memory that counts writes of read positions."""

    def __init__(self) -> None:
        super().__init__()
        self._readers: CountingReaders = CountingReaders(self._logs)
        self._rooms = MemoryRooms(self._logs, self._readers, self._moderation, b"secret")

    @property
    def readers(self) -> CountingReaders:
        """The counting ones."""
        return self._readers


@pytest.fixture
def clock() -> FakeClock:
    """The clock of the chat."""
    return FakeClock()


@pytest.fixture
async def store() -> CountingStore:
    """The store of the chat."""
    return CountingStore()


@pytest.fixture
async def chat(store: CountingStore, clock: FakeClock) -> AsyncIterator[Chat]:
    """A chat with the rooms `attic` and `lobby`."""
    async with Chat(store=store, clock=clock) as chat:
        for name in ("attic", "lobby"):
            await chat.open(name)
        yield chat


async def test_entering_a_room_follows_it_and_what_comes_then_is_unread(chat: Chat) -> None:
    """Also what somebody missed while they were away; what they wrote themselves is read."""
    lobby = await chat.open("lobby")
    await lobby.post("before", author="bot")
    assert await chat.unread("ada") == {}
    ada = await enter(chat, "lobby", ADA)
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 1, 0, 0)}
    await lobby.post("while here", author="bot")
    await ada.drop()
    await lobby.post("while away", author="bot")
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 1, 2, 0)}
    ada = await enter(chat, "lobby", ADA)
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 1, 2, 0)}
    assert (await ada.say("I am back"))["seq"] == 4
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 4, 0, 0)}


async def test_reading_moves_the_position_forward_for_all_devices(chat: Chat) -> None:
    """Never backward, and never past the end."""
    lobby = await chat.open("lobby")
    phone, desk = await enter(chat, "lobby", ADA), await enter(chat, "lobby", ADA)
    for number in range(5):
        await lobby.post(f"{number}", author="bot")
    assert await phone.command("read", {"seq": 3}) == {"ok": True}
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 3, 2, 0)}
    assert await desk.command("read", {"seq": 2}) == {"ok": True}
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 3, 2, 0)}
    assert await desk.command("read", {"seq": 2**50}) == {"ok": True}
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 5, 0, 0)}
    await lobby.post("one more", author="bot")
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 5, 1, 0)}
    assert (await phone.command("read", {}))["error"]["code"] == "bad_request"


async def test_a_guest_of_version_1_is_followed_when_they_say_what_they_have_read(chat: Chat) -> None:
    """Entering leaves no trace of those who may never come back."""
    lobby = await chat.open("lobby")
    found = await chat.directory.find("lobby")
    connection = RecordingConnection()
    guest = Person(await found.room.connect(connection), connection)
    assert (await guest.command("read", {"seq": 0}))["error"]["code"] == "not_joined"
    member = Member((await guest.join("Gus"))["member"]["id"], "Gus")
    await lobby.post("hello", author="bot")
    assert await chat.unread(member) == {}
    await guest.command("read", {"seq": 0})
    assert await chat.unread(member) == {"lobby": Unread("lobby", 0, 1, 0)}


async def test_positions_are_written_once_a_second(chat: Chat, store: CountingStore, clock: FakeClock) -> None:
    """However many there are; what is gathered counts all the same."""
    lobby = await chat.open("lobby")
    people = [await enter(chat, "lobby", User(f"{number}", f"P{number}")) for number in range(20)]
    for number in range(50):
        await lobby.post(f"{number}", author="bot")
    for seq in range(1, 51):
        for person in people[:2]:
            clock.move(0.001)
            await person.command("read", {"seq": seq}) if seq % 10 == 0 else None
    assert store.readers.writes == 0
    await settle(clock)
    assert store.readers.writes == 1
    assert (await store.readers.unread(["user:1", "user:2"])) == {
        "user:1": (Unread("lobby", 50, 0, 0),),
        "user:2": (Unread("lobby", 0, 50, 0),),
    }
    await settle(clock, 10)
    assert store.readers.writes == 1


async def test_nothing_is_lost_at_the_end_nor_while_the_store_is_away(clock: FakeClock) -> None:
    """What is gathered is written when the chat closes, and tried again while the store cannot be written."""
    faulty = FaultyReaders()
    async with Chat(store=faulty, clock=clock) as chat:
        await chat.open("lobby")
        ada = await enter(chat, "lobby", ADA)
        await (await chat.open("lobby")).post("one", author="bot")
        await ada.command("read", {"seq": 1})
        faulty.away = True
        for _ in range(5):
            await settle(clock)
        with pytest.raises(Refused):
            await chat.unread("ada")
        faulty.away = False
        await eventually(clock, lambda: bool(faulty.readers.marked))
        assert await chat.unread("ada") == {"lobby": Unread("lobby", 1, 0, 0)}
        await (await chat.open("lobby")).post("two", author="bot")
        await ada.command("read", {"seq": 2})
    assert await faulty.readers.unread(["user:ada"]) == {"user:ada": (Unread("lobby", 2, 0, 0),)}


class AwayReaders(MemoryReaders):
    """Refuses to write while its store is away."""

    def __init__(self, store: FaultyReaders) -> None:
        super().__init__(store._logs)
        self._store = store
        self.marked = 0

    async def follow(self, member_id: str, room: str, seq: int | None = None) -> None:
        """Follow, unless it is away."""
        self._check()
        await super().follow(member_id, room, seq)

    async def mark(self, reads: Iterable[tuple[str, str, int]]) -> None:
        """Mark, unless it is away."""
        self._check()
        self.marked += 1
        await super().mark(reads)

    def _check(self) -> None:
        if self._store.away:
            raise Refused.standard("unavailable")


class FaultyReaders(MemoryStore):
    """A store whose read positions cannot be written now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False
        self._away = AwayReaders(self)

    @property
    def readers(self) -> AwayReaders:
        """Those that may be away."""
        return self._away


async def test_who_watches_is_told_at_most_once_a_second(chat: Chat, clock: FakeClock) -> None:
    """Only of rooms that changed, with the right counts, and on all devices."""
    lobby, attic = await chat.open("lobby"), await chat.open("attic")
    await enter(chat, "lobby", ADA)
    await enter(chat, "attic", ADA)
    phone, desk = Watcher(chat, ADA), Watcher(chat, ADA)
    assert await phone.watch() == {"attic": (0, 0), "lobby": (0, 0)}
    assert await desk.watch() == {"attic": (0, 0), "lobby": (0, 0)}
    await settle(clock)
    phone.frames.clear()
    desk.frames.clear()
    for number in range(100):
        await lobby.post(f"{number}", author="bot")
        if number % 20 == 0:
            await settle(clock, 0.05)
    await settle(clock)
    assert phone.counts == {"attic": (0, 0), "lobby": (100, 0)} == desk.counts
    assert len(phone.frames) == len(desk.frames) <= 3
    assert all(frame == (["lobby"], []) for frame in phone.frames)
    await settle(clock, 30)
    assert len(phone.frames) <= 3
    await attic.post("x", author="bot")
    await settle(clock, 0.0)  # after a quiet time, at once
    assert phone.frames[-1] == (["attic"], [])
    assert phone.counts["attic"] == (1, 0)


async def test_devices_hear_of_what_another_one_has_read(chat: Chat, clock: FakeClock) -> None:
    """To the end, and to a message in the middle; and what is written counts as read."""
    lobby = await chat.open("lobby")
    ada = await enter(chat, "lobby", ADA)
    watcher = Watcher(chat, ADA)
    await watcher.watch()
    for number in range(10):
        await lobby.post(f"{number}", author="bot")
    await settle(clock)
    assert watcher.counts == {"lobby": (10, 0)}
    await ada.command("read", {"seq": 4})
    await settle(clock)
    assert watcher.counts == {"lobby": (6, 0)}
    assert watcher.rooms["lobby"].seq == 4
    await ada.command("read", {"seq": 10})
    await settle(clock)
    assert watcher.counts == {"lobby": (0, 0)}
    await lobby.post("more", author="bot")
    await ada.say("mine")
    await lobby.post("after", author="bot")
    await settle(clock)
    assert watcher.counts == {"lobby": (1, 0)}
    assert await chat.unread("ada") == {"lobby": Unread("lobby", 12, 1, 0)}


async def test_a_room_that_is_followed_appears_and_one_that_is_not_is_gone(chat: Chat, clock: FakeClock) -> None:
    """By entering, by the app, by deletion."""
    watcher = Watcher(chat, ADA)
    assert await watcher.watch() == {}
    await enter(chat, "lobby", ADA)
    await chat.follow("ada", "attic")
    await eventually(clock, lambda: watcher.counts == {"attic": (0, 0), "lobby": (0, 0)})
    assert watcher.rooms["attic"].title == "attic"
    await chat.unfollow("ada", "attic")
    await settle(clock)
    assert watcher.frames[-1] == ([], ["attic"])
    await chat.delete_room("lobby")
    await settle(clock)
    assert watcher.frames[-1] == ([], ["lobby"])
    assert await chat.unread("ada") == {}
    await chat.open("lobby", title="Anew")
    await enter(chat, "lobby", ADA)
    await eventually(clock, lambda: "lobby" in watcher.rooms)
    assert watcher.rooms["lobby"].title == "Anew"


async def test_whoever_is_banned_hears_nothing_of_the_room(chat: Chat, clock: FakeClock) -> None:
    """Not even that there are new messages; until the ban ends."""
    lobby = await chat.open("lobby")
    await enter(chat, "lobby", ADA)
    watcher = Watcher(chat, ADA)
    await watcher.watch()
    await settle(clock)
    await lobby.moderation.ban(ADA)
    await eventually(clock, lambda: "lobby" not in watcher.rooms)
    watcher.frames.clear()
    await lobby.post("secret", author="bot")
    await settle(clock)
    assert watcher.frames == []
    assert await Watcher(chat, ADA).watch() == {}
    await lobby.moderation.unban(ADA)
    await eventually(clock, lambda: watcher.counts == {"lobby": (1, 0)})


async def test_nobody_is_told_who_watches_no_more(chat: Chat, clock: FakeClock) -> None:
    """And nothing is kept of them."""
    lobby = await chat.open("lobby")
    await enter(chat, "lobby", ADA)
    watcher = Watcher(chat, ADA)
    await watcher.watch()
    watcher.stop()
    watcher.frames.clear()
    await lobby.post("x", author="bot")
    await settle(clock)
    assert watcher.frames == []
    watchers = chat.directory.readers._watchers
    kept = (watchers._lists, watchers._rooms, watchers._news, watchers._recount, watchers._telling)
    assert not any(kept)


async def test_lists_follow_what_the_app_says_who_may_read(clock: FakeClock) -> None:
    """A room that may no longer be read is gone at once after `refresh`, and comes back when it may be read again."""
    closed: set[str] = set()

    async def access(user: User | None, room: str) -> str:
        await asyncio.sleep(0)
        return "none" if room in closed and user is not None and user.id == "ada" else "write"

    async with Chat(clock=clock, access=access) as chat:
        lobby, attic = await chat.open("lobby"), await chat.open("attic")
        for name in ("lobby", "attic"):
            for user in (ADA, BOB):
                await enter(chat, name, user)
        ada, bob = Watcher(chat, ADA), Watcher(chat, BOB)
        await ada.watch()
        await bob.watch()
        closed.add("lobby")
        await chat.refresh("ada")
        await lobby.post("secret", author="bot")
        await attic.post("open", author="bot")
        await settle(clock)
        assert ada.counts == {"attic": (1, 0)}
        assert bob.counts == {"attic": (1, 0), "lobby": (1, 0)}
        again = Watcher(chat, ADA)
        assert await again.watch() == {"attic": (1, 0)}
        closed.clear()
        await chat.refresh("ada")
        await eventually(clock, lambda: "lobby" in ada.counts)
        assert ada.counts == {"attic": (1, 0), "lobby": (1, 0)}


async def test_a_room_is_unfollowed_while_the_store_counts(chat: Chat, clock: FakeClock) -> None:
    """The answer of the store, which still has the room, does not bring it back."""
    await enter(chat, "lobby", ADA)
    await enter(chat, "attic", ADA)
    watcher = Watcher(chat, ADA)
    await watcher.watch()
    await settle(clock)
    readers = chat.directory.readers
    reached, go_on = asyncio.Event(), asyncio.Event()
    source = readers._watchers._source

    async def count(member_ids):
        found = await source.count(member_ids)
        reached.set()
        await go_on.wait()
        return found

    readers._watchers._source = type(source)(count, source.shared, source.describe)
    watcher.frames.clear()
    readers._watchers.changed("user:ada")
    clock.move(1)
    await reached.wait()
    await chat.unfollow("ada", "attic")
    await chat.delete_room("lobby")
    go_on.set()
    await settle(clock)
    await settle(clock)
    assert watcher.counts == {}
    assert all(not changed for changed, _ in watcher.frames)


async def test_messages_while_the_store_counts_are_counted_once(chat: Chat, clock: FakeClock) -> None:
    """Whenever they come between the query and its answer."""
    lobby = await chat.open("lobby")
    ada = await enter(chat, "lobby", ADA)
    watcher = Watcher(chat, ADA)
    await watcher.watch()
    for turn in range(10):
        await lobby.post(f"{turn}", author="bot")
        await ada.command("read", {"seq": turn // 2})
        for _ in range(turn):
            await asyncio.sleep(0)
        await lobby.post(f"{turn} again", author="bot")
        clock.move(0.5)
    await settle(clock)
    await settle(clock)
    (unread,) = (await chat.unread("ada")).values()
    assert watcher.counts == {"lobby": (unread.messages, 0)}
    assert unread.messages == 20 - unread.seq


async def test_the_room_is_deleted_while_somebody_reads(chat: Chat, clock: FakeClock) -> None:
    """Nothing fails, and the new room of that name has no old positions."""
    ada = await enter(chat, "lobby", ADA)
    await (await chat.open("lobby")).post("x", author="bot")
    reading = ada.command("read", {"seq": 1})
    deleting = chat.delete_room("lobby")
    await asyncio.gather(reading, deleting)
    await settle(clock)
    assert await chat.unread("ada") == {}
    await chat.open("lobby")
    await settle(clock, 5)
    assert await chat.unread("ada") == {}


async def test_direct_rooms_are_found_again_by_their_people(chat: Chat, clock: FakeClock) -> None:
    """In any order, also when two ask at once; only they can enter, and it is in their lists."""
    first, second = await asyncio.gather(chat.direct("ada", "bob"), chat.direct(BOB, ADA))
    assert first is second is await chat.direct("bob", "ada", "bob")
    assert await chat.direct("ada", "bob", "cleo") is not first
    for user in (ADA, BOB):
        assert first.name in await chat.unread(user)
        await enter(chat, first.name, user)
    for stranger in (CLEO, None):
        with pytest.raises(Refused) as refused:
            await late(clock, chat.directory.find(first.name, stranger))
        assert refused.value.code == "unknown_room"
    assert {room.name for room in await late(clock, chat.directory.visible(ADA))} == {"attic", "lobby"}
