"""One visitor's commands: their order, when their answers go out, and what they cost."""

from __future__ import annotations

import asyncio

import pytest

from pychat import ChatRoom, Limits, Message
from pychat.domain.errors import Refused
from pychat.domain.model import LogEvent
from pychat.room.session import Session
from pychat.stores import MemoryStore
from pychat.testing import RecordingConnection


class Queueing(MemoryStore):
    """A store like SQLite's: an event is in its queue at once, and stored when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.queue: list[tuple[str, LogEvent, asyncio.Future[LogEvent]]] = []

    def append(self, room: str, event: LogEvent) -> asyncio.Future[LogEvent]:
        """Take an event into the queue."""
        stored: asyncio.Future[LogEvent] = asyncio.get_running_loop().create_future()
        self.queue.append((room, event, stored))
        return stored

    def commit(self) -> None:
        """Store what is in the queue."""
        queue, self.queue = self.queue, []
        for room, event, stored in queue:
            stored.set_result(super().append(room, event).result())


async def _enter(room: ChatRoom, name: str) -> tuple[Session, RecordingConnection]:
    connection = RecordingConnection()
    session = await room.connect(connection)
    await session.join(name)
    return session, connection


def _texts(connection: RecordingConnection) -> list[str]:
    return [fields["text"] for name, fields in connection.events if name == "message"]


@pytest.mark.parametrize("store", [MemoryStore(), Queueing()], ids=["memory", "queue"])
async def test_a_message_takes_no_task(store: MemoryStore) -> None:
    """Where the store answers at once, or takes an event into its queue at once, no task is made for a message."""
    room = ChatRoom(store=store)
    ada, _ = await _enter(room, "Ada")
    before = asyncio.all_tasks()
    answer = ada.say("hi")
    assert before == asyncio.all_tasks()
    if isinstance(store, Queueing):
        store.commit()
    assert "hi" == (await answer).text
    await room.aclose()


async def test_messages_on_their_way_hold_up_nothing() -> None:
    """Messages wait together for the store, and what comes after them does not wait for them."""
    store = Queueing()
    room = ChatRoom(store=store)
    ada, _ = await _enter(room, "Ada")
    answers = [ada.say(str(number)) for number in range(3)]
    assert ["0", "1", "2"] == [event.text for _, event, _ in store.queue if isinstance(event, Message)]
    assert [] == await ada.history()
    store.commit()
    assert [1, 2, 3] == [(await answer).seq for answer in answers]
    await room.aclose()


async def test_commands_begin_in_the_order_in_which_they_came() -> None:
    """A command that waits for a hook is done before the next begins, although nobody awaited it."""
    room = ChatRoom()
    ada, _ = await _enter(room, "Ada")
    let_through = asyncio.Event()

    @room.on("join")
    async def wait(_: object) -> None:
        await let_through.wait()

    renamed, said, left = ada.join("Countess"), ada.say("hi"), ada.leave()
    let_through.set()
    assert "Countess" == (await said).author.name
    assert "Countess" == (await renamed)[0].name
    await left
    assert ada.member is None
    await room.aclose()


async def test_an_answer_comes_after_what_it_caused() -> None:
    """When an answer is done, everybody has been sent what was stored before."""
    room = ChatRoom()
    ada, _ = await _enter(room, "Ada")
    _, heard = await _enter(room, "Bob")
    told: list[list[str]] = []
    ada.say("hi").on_done(lambda _: told.append(_texts(heard)))
    assert [] == told
    await ada.say("there")
    assert ["hi"] == told[0][:1]
    assert ["hi", "there"] == _texts(heard)
    await room.aclose()


async def test_a_visitor_is_not_read_while_too_much_is_on_its_way() -> None:
    """`ready` waits while 256 messages of a visitor wait for the store, and while a command is being carried out."""
    store = Queueing()
    room = ChatRoom(store=store, limits=Limits(rate=0))
    ada, _ = await _enter(room, "Ada")
    for number in range(255):
        ada.say(str(number))
    async with asyncio.timeout(10):
        await ada.ready()
    ada.say("one more")
    ready = asyncio.ensure_future(ada.ready())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not ready.done()
    store.commit()
    async with asyncio.timeout(10):
        await ready
        history = ada.history()
        await ada.ready()
    assert history.done
    await room.aclose()


async def test_a_command_goes_on_without_whoever_waited_for_it() -> None:
    """A transport that gives up waiting does not stop a command half way."""
    room = ChatRoom()
    connection = RecordingConnection()
    ada = await room.connect(connection)
    begun, let_through = asyncio.Event(), asyncio.Event()

    @room.on("join")
    async def wait(_: object) -> None:
        begun.set()
        await let_through.wait()

    async def join() -> None:
        await ada.join("Ada")

    waiting = asyncio.ensure_future(join())
    await begun.wait()
    waiting.cancel()
    await asyncio.wait([waiting])
    let_through.set()
    await ada.ready()
    assert ["Ada"] == [member.name for member in room.members]
    await room.aclose()


async def test_the_answer_of_a_refused_command_raises() -> None:
    """A refusal is raised where the answer is asked for, and the next command is carried out."""
    room = ChatRoom()
    ada = await room.connect(RecordingConnection())
    for refused in (ada.say("hi"), ada.join("")):
        with pytest.raises(Refused):
            await refused
    assert "Ada" == (await ada.join("Ada"))[0].name
    await room.aclose()
