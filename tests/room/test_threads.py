"""A room used from other threads: `ChatRoom.threadsafe`."""

from __future__ import annotations

import asyncio
import threading

import pytest

from pychat import ChatRoom, Refused, UsageError, User
from pychat.testing import Person, RecordingConnection


async def test_a_thread_does_what_the_room_does() -> None:
    """Each method blocks and returns what the room's own returns; a refusal is raised in the thread."""
    room = ChatRoom()
    connection = RecordingConnection()
    await room.connect(connection, user=User("1", "Ada"))
    other = room.threadsafe

    def work() -> list[str]:
        first = other.post("one", author="bot", id="a")
        assert other.post("one", author="bot", id="a") == first
        other.edit(first.seq, "uno")
        second = other.post("two", author=User("1", "Ada"))
        assert second.author.id == "user:1"
        other.delete(second.seq)
        with pytest.raises(Refused) as refused:
            other.post(" ", author="bot")
        assert refused.value.code == "text_empty"
        assert [member.name for member in other.members] == ["Ada"]
        other.kick("user:1")
        assert other.members == ()
        assert other.message(first.seq).edited is not None
        return [message.text for message in other.history()]

    assert await asyncio.to_thread(work) == ["uno", ""]
    assert connection.closed is not None
    await room.aclose()


async def test_a_call_that_could_never_end_is_refused() -> None:
    """On the room's own thread, and before the room runs, the mistake is named."""
    room = ChatRoom("den")
    with pytest.raises(UsageError, match=r"Await room\.start"):
        await asyncio.to_thread(room.threadsafe.post, "hi", author="bot")
    await room.start()
    with pytest.raises(UsageError, match="own thread"):
        room.threadsafe.post("hi", author="bot")
    await room.aclose()


def test_after_the_loop_has_ended_a_thread_is_told() -> None:
    """A thread that outlives the event loop does not wait for ever, nor does one whose call was under way."""
    room = ChatRoom()
    under_way = threading.Event()
    told: list[str] = []

    @room.on("message")
    async def never(_: object) -> None:
        under_way.set()
        await asyncio.Event().wait()

    def work() -> None:
        try:
            room.threadsafe.post("hi", author="bot")
        except (UsageError, asyncio.CancelledError) as error:
            told.append(type(error).__name__)

    thread = threading.Thread(target=work)

    async def run() -> None:
        await room.start()
        thread.start()
        await asyncio.to_thread(under_way.wait)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(run())
    thread.join(timeout=20)
    assert told == ["UsageError"]
    with pytest.raises(UsageError, match="has ended"):
        room.threadsafe.post("hi", author="bot")
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


async def test_async_hooks_are_told_in_order_and_hold_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    """`event` and `leave` may be async: called one after another; one that fails is logged; closing waits for them."""
    room = ChatRoom()
    heard: list[str] = []
    go = asyncio.Event()

    @room.on("event")
    async def slow(event: object) -> None:
        await go.wait()
        heard.append(type(event).__name__)
        if len(heard) == 2:
            raise KeyError("oops")

    room.on("leave", lambda member: _note(heard, f"{member.name} left"))
    ada = await Person.enter(room)
    await ada.join("Ada")
    assert (await ada.say("hi"))["ok"]
    await ada.close()
    assert heard == []
    go.set()
    await room.aclose()
    assert heard == ["Joined", "Message", "Ada left", "Left"]
    assert [record.message.split(":")[0] for record in caplog.records] == ["A hook for “event” failed"]


async def _note(heard: list[str], what: str) -> None:
    heard.append(what)


async def test_async_hooks_that_are_too_slow_miss_events_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What waits for them is bounded; closing the room gives up on them after a while."""
    monkeypatch.setattr("pychat.room.hook_queue._MAX_BYTES", 5_000)
    monkeypatch.setattr("pychat.room.hook_queue._TIMEOUT", 0.01)
    room = ChatRoom()
    go = asyncio.Event()
    heard: list[object] = []

    @room.on("event")
    async def stuck(event: object) -> None:
        await go.wait()
        heard.append(event)

    for number in range(10):
        await room.post(str(number), author="bot")
    go.set()
    while len(heard) < 4:
        await asyncio.sleep(0)
    go.clear()
    for number in range(3):
        await room.post(str(number), author="bot")
    await room.aclose()
    said = [record.message.split(":")[0].split(" <")[0] for record in caplog.records]
    assert said == [
        "The hooks are too slow",
        "The hooks have caught up; they were not told of 6 events.",
        "The hooks were too slow",
    ]
