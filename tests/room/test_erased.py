"""A room whose store takes texts out of the log, or deletes it."""

from __future__ import annotations

import gc
import weakref

from pychat import ChatRoom, Close, Position
from pychat.stores import MemoryStore
from pychat.testing import Person, RecordingConnection


async def test_whoever_is_here_sees_the_mark_and_whoever_comes_sees_no_text() -> None:
    """Erased texts are in no event and no frame that the room sends from then on, whichever position they come from."""
    store = MemoryStore()
    room = ChatRoom(store=store)
    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    await bob.join("Bob")
    said = await ada.say("my secret")
    await bob.command("say", {"text": "sure", "reply_to": said["seq"]})
    await ada.command("edit", {"target": said["seq"], "text": "my second secret"})
    assert "secret" in str(bob.connection.events)
    late = Position(room.position.epoch, 0)
    author = (await room.message(said["seq"])).author.id
    assert await store.erase(room.name, author=author) == [said["seq"]]
    assert (await bob.event("deleted"))["target"] == said["seq"]
    for since in (None, late):
        person = await Person.enter(room, since=since)
        told = str(person.connection.events)
        assert "secret" not in told
        assert "sure" in told
        assert str(person.connection.events).count("'name': 'Ada'") <= 1  # who is here
    assert (await ada.command("edit", {"target": said["seq"], "text": "late"}))["error"]["code"] == "not_found"
    await room.aclose()


async def test_a_deleted_room_closes_its_connections() -> None:
    """Everybody is told why. Whoever comes then finds a new room, with nothing in it."""
    store = MemoryStore()
    room = ChatRoom(store=store)
    connection = RecordingConnection()
    session = await room.connect(connection)
    ada = Person(session, connection)
    await ada.join("Ada")
    await ada.say("hello")
    before = room.position
    await store.rooms.delete(room.name)
    assert connection.closed is Close.DELETED
    assert not (await ada.command("say", {"text": "more"}))["ok"]
    again = await Person.enter(room, since=before)
    welcome = await again.event("welcome")
    assert (welcome["seq"], welcome["recovered"], welcome["messages"]) == (0, False, [])
    assert welcome["epoch"] != before.epoch
    await room.aclose()


async def test_a_closed_room_is_let_go_of_by_its_store() -> None:
    """A store that lives on holds neither the room nor, if nothing was said in it, its log."""
    store = MemoryStore()
    gone = []
    for number in range(20):
        room = ChatRoom(f"room-{number}", store=store)
        await (await Person.enter(room)).close()
        gone.append(weakref.ref(room.backend.core.delivery))
        await room.aclose()
        del room
    gc.collect()
    assert [ref() for ref in gone] == [None] * 20
    assert len(store._logs) == 0
