"""What the words of `pychat.testing` do, when all is well."""

from __future__ import annotations

import asyncio
import re

import pytest

from pychat import ChatRoom, Close, Limits, Message, Refused, UsageError, User
from pychat.testing import Chat


async def test_people_talk(chat: Chat) -> None:
    """What one says the others see; both have it on their screens, in the same order."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    said = await alice.says("hi")
    assert await bob.sees("hi", by=alice) == said
    await bob.says("hello", reply_to=said)
    answer = await alice.sees(re.compile("^hel"), by="bob")
    assert answer.reply is not None
    assert answer.reply.seq == said.seq
    for person in (alice, bob):
        await person.sees_nothing_more()
        assert person.has_seen == ["hi", "hello"]
    chat.same_order(alice, bob)


async def test_messages_have_a_life(chat: Chat) -> None:
    """Edits are seen anew; deletions and reactions are on the screen at once."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    said = await alice.says("helo")
    await bob.sees("helo")
    await alice.edits(said, "hello")
    await bob.sees("hello")
    await bob.reacts(said, "👍")
    assert alice.message(said).reactions == (("👍", (bob.member.id,)),)
    await bob.reacts(said, "👍", on=False)
    assert alice.message(said).reactions == ()
    await alice.deletes(said)
    assert bob.message(said).deleted
    await alice.sees_nothing_more()
    await bob.sees_nothing_more()
    chat.same_order(alice, bob)


async def test_a_drop_loses_nothing_and_repeats_nothing(chat: Chat) -> None:
    """Who comes back is the same member, and has what was missed, once."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    await alice.says("hi")
    await bob.sees("hi")
    member = bob.member
    await bob.drops()
    await alice.says("more")
    await alice.sees_members("alice")
    await bob.returns()
    assert (bob.recovered, bob.member) == (True, member)
    await bob.sees("more")
    await bob.sees_nothing_more()
    assert bob.has_seen == ["hi", "more"]
    await alice.sees_members("alice", "bob")


async def test_a_grace_passes_on_the_clock(chat: Chat) -> None:
    """A name is held for 30 seconds of the test's clock, and is free then; who left says so at once."""
    room = chat.room()
    _, bob, carol = await chat.people(room, "alice", "bob", "carol")
    await bob.drops()
    await chat.sleep(29)
    guest = await chat.person(room)
    with guest.is_refused("name_taken"):
        await guest.joins("bob")
    await chat.sleep(1)
    assert (await guest.joins("bob")).name == guest.name == "bob"
    with pytest.raises(Refused, match="bob"):
        await bob.returns()
    await carol.leaves()
    await guest.renames("carol")
    await guest.sees_members("alice", "carol")
    await chat.sleep(0.2)
    assert bob.here == 3


async def test_moving_the_clock_is_enough(chat: Chat) -> None:
    """`clock.move` starts what is due; what waits afterwards sees it."""
    room = chat.room(grace=31)
    alice, bob = await chat.people(room, "alice", "bob")
    left = []
    room.on("leave", lambda member: left.append(member.name))
    await bob.drops()
    chat.clock.move(31)
    await chat.settle()
    assert left == ["bob"]
    await alice.sees_members("alice")


async def test_who_types_is_shown_for_six_seconds(chat: Chat) -> None:
    """Without a word more, on the clock of the test; a message ends it too."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    await alice.types()
    await bob.sees_that(lambda: bob.typing == ["alice"], "alice typing")
    await chat.sleep(5.9)
    assert bob.typing == ["alice"]
    await chat.sleep(0.1)
    assert bob.typing == []
    await alice.types()
    await alice.types(on=False)
    assert bob.typing == []


async def test_a_slow_reader_is_closed_and_recovers(chat: Chat) -> None:
    """What waits is bounded; nobody else is slowed down; who comes back has everything."""
    room = chat.room()
    alice, bob = await chat.people(room, "alice", "bob")
    carol = await chat.person(room, "carol", reads=False, outbox=1_000)
    await alice.says("short")
    assert (carol.has_seen, carol.closed) == ([], None)
    for number in range(10):
        await alice.says(f"{number} {'x' * 200}")
    await carol.is_told(Close.SLOW)
    await bob.sees("short", *bob.has_seen[1:])
    await carol.returns()
    assert carol.recovered
    assert carol.has_seen == bob.has_seen
    chat.same_order(alice, bob, carol)


async def test_a_slow_reader_may_read_on(chat: Chat) -> None:
    """What waited comes in order."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    bob.stops_reading()
    await alice.says("one")
    await alice.says("two")
    assert bob.has_seen == []
    bob.reads_on()
    await bob.sees("one", "two")
    await bob.sees_nothing_more()


async def test_rates_go_by_the_clock(chat: Chat) -> None:
    """Commands are counted, and more may come when time has passed."""
    (alice,) = await chat.people(chat.room(limits=Limits(rate=1, burst=2)), "alice")
    await alice.says("one")
    with alice.is_refused("rate_limited"):
        await alice.says("two")
    chat.clock.move(1)
    await alice.says("two")


async def test_a_room_of_an_app_is_adopted() -> None:
    """The very room with its hooks begins as new, and is afterwards what it was; nothing leaks into the next test."""
    room = ChatRoom(store="memory:", limits=Limits(text=10))
    heard: list[int] = []

    @room.on("message")
    def count(message: Message) -> None:
        heard.append(room.here)
        if message.text == "HI":
            raise Refused("shouting", "Please lower your voice.")

    await room.post("outside", author="bot")
    for _ in range(2):
        with Chat() as chat:
            assert chat.adopt(room) is room
            room.on("message", lambda message: heard.append(-1))
            alice, bob = await chat.people(room, "alice", "bob")
            assert alice.has_seen == []
            with alice.is_refused("shouting"):
                await alice.says("HI")
            with alice.is_refused("text_too_long"):
                await alice.says("x" * 11)
            await alice.says("hi")
            await bob.sees("hi")
            assert chat.clock is room.clock
    assert heard == [0, 2, 2, -1, 2, 2, -1]
    assert [message.text for message in await room.history()] == ["outside"]
    assert room.here == 0


async def test_what_the_store_does_not_take_nobody_sees(chat: Chat) -> None:
    """Who is refused with `unavailable` says it again, and it stands once."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    chat.store.fails_next()
    with alice.is_refused("unavailable"):
        await alice.says("hi", id="1")
    await bob.sees_nothing_more()
    chat.store.loses_next()
    with alice.is_refused("unavailable"):
        await alice.says("hi", id="1")
    assert alice.has_seen == []
    assert (await alice.says("hi", id="1")).seq == 1
    await bob.sees("hi")
    await bob.sees_nothing_more()
    chat.same_order(alice, bob)


async def test_a_store_that_is_down_takes_nothing(chat: Chat) -> None:
    """And is back when the test says so."""
    room = chat.room()
    (alice,) = await chat.people(room, "alice")
    chat.store.down = True
    assert not chat.store.available
    with alice.is_refused("unavailable"):
        await alice.says("hi")
    with pytest.raises(Refused):
        await room.history()
    chat.store.down = False
    await chat.sleep(1)
    await alice.says("hi")


async def test_a_slow_store_takes_time_of_the_clock(chat: Chat) -> None:
    """Nobody sees a message before it is stored."""
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    chat.store.delay = 2.0
    saying = asyncio.create_task(alice.says("hi"))
    await chat.sleep(1.9)
    await bob.sees_nothing_more()
    assert not saying.done()
    await chat.sleep(0.1)
    await bob.sees("hi")
    assert (await saying).seq == 1


async def test_two_servers_are_one_room(chat: Chat) -> None:
    """Members of both see each other and one order; a name is taken on both; hooks hang in both."""
    one = chat.room(limits=Limits(text=5))
    one.on("message", lambda message: None)
    alice = await chat.person(one, "alice")
    two = chat.another_server(one)
    bob = await chat.person(two, "bob")
    await alice.sees_members("alice", "bob")
    await bob.sees_members("alice", "bob")
    with bob.is_refused("name_taken"):
        await bob.renames("alice")
    await asyncio.gather(alice.says("one"), bob.says("two"))
    await alice.sees("two")
    await bob.sees("one")
    with bob.is_refused("text_too_long"):
        await bob.says("longer")
    chat.same_order(alice, bob)
    await alice.drops()
    await bob.says("three")
    await alice.returns(two)
    await alice.sees("three")
    await bob.sees_members("alice", "bob")


async def test_a_server_restarts(chat: Chat) -> None:
    """People are told, come back to the next one as who they were, and have missed nothing."""
    room = chat.room()
    alice, bob = await chat.people(room, "alice", "bob")
    await alice.says("before")
    await room.aclose()
    await bob.is_told(Close.SHUTDOWN)
    await alice.is_told(Close.SHUTDOWN)
    room = chat.another_server(room)
    await alice.returns(room)
    await alice.says("after")
    await bob.returns(room)
    await bob.sees("before", "after")
    await bob.sees_nothing_more()
    await alice.sees_members("alice", "bob")
    chat.same_order(alice, bob)


async def test_users_of_an_app_come_in_with_their_names(chat: Chat) -> None:
    """As `authenticate` would say: name and roles are theirs, and a hook finds the user; they come back as the same."""
    room = chat.room()
    found: list[User | None] = []
    room.on("message", lambda message: found.append(room.user(message.author.id)))
    ada = await chat.person(room, user=User("42", "Ada", roles=("moderator",)))
    eve = await chat.person(room, "Eve", user=User("43"))
    assert (ada.name, ada.member.id, ada.member.roles) == ("Ada", "user:42", ("moderator",))
    with ada.is_refused("name_fixed"):
        await ada.renames("Grace")
    said = await eve.says("buy this")
    assert found == [User("43")]
    await ada.deletes(said)
    assert eve.message(said).deleted
    await ada.drops()
    await eve.says("more")
    await ada.returns()
    assert (ada.recovered, ada.name, ada.member.id) == (True, "Ada", "user:42")
    await eve.sees_members("Ada", "Eve")
    await eve.drops()
    await eve.returns()
    assert (eve.name, eve.member.id) == ("Eve", "user:43")


async def test_code_that_posts_later_is_waited_for(chat: Chat) -> None:
    """A hook may start a task; its answer is seen when it comes."""
    room = chat.room()
    tasks = []

    @room.on("event")
    async def answer(event: object) -> None:
        if isinstance(event, Message) and event.author.name == "alice":
            tasks.append(asyncio.get_running_loop().create_task(later()))

    async def later() -> None:
        for _ in range(20):
            await asyncio.sleep(0)
        await room.post("You are welcome.", author="bot")

    (alice,) = await chat.people(room, "alice")
    await alice.says("thanks")
    await alice.sees("You are welcome.", by="bot")


async def test_who_is_not_there_is_told_how_to_come_back(chat: Chat) -> None:
    """A mistake in the test is named as one."""
    room = chat.room()
    alice, guest = await chat.person(room, "alice"), await chat.person(room)
    with pytest.raises(UsageError, match="no nickname"):
        str(guest.member)
    with pytest.raises(UsageError, match="still here"):
        await alice.returns()
    await alice.drops()
    with pytest.raises(UsageError, match="returns"):
        await alice.says("hi")
    with pytest.raises(UsageError, match="sees"):
        await alice.sees()
    with pytest.raises(UsageError, match="two people"):
        chat.same_order(alice)
    assert repr(alice) == "<Actor alice>"


def test_another_event_loop_is_refused_in_words() -> None:
    """Pychat is for asyncio; under trio one is told so."""
    with Chat() as chat, pytest.raises(UsageError, match="anyio_backend"):
        chat.person(chat.room()).send(None)


async def test_the_old_name_of_the_timeout_still_works() -> None:
    """`Chat(patience=…)` and `chat.patience` set and return the timeout, with a warning that names it."""
    with pytest.warns(DeprecationWarning, match="timeout"):
        chat = Chat(patience=3.0)
    assert chat.timeout == 3.0
    with pytest.warns(DeprecationWarning, match="timeout"):
        chat.patience = 4.0
    with pytest.warns(DeprecationWarning, match="timeout"):
        assert (chat.patience, chat.timeout) == (4.0, 4.0)
