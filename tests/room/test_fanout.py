"""Fan-out: whoever fails, the others are told, and every answer goes out."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from pychat import ChatRoom
from pychat.domain.errors import Close
from pychat.domain.model import Message
from pychat.domain.notices import Notice
from pychat.protocol.v1 import encode
from pychat.testing import Person, RecordingConnection


class _Broken(RecordingConnection):
    """A third party's connection that raises once it is in."""

    def __init__(self, encoder: Any = None) -> None:
        super().__init__()
        self.reasons: list[Close] = []
        self.fails = False
        if encoder is not None:
            self.encoder = encoder

    def send(self, frame: Any) -> None:
        if self.fails:
            raise RuntimeError("the socket is gone")
        super().send(frame)

    def close(self, why: Close) -> None:
        self.reasons.append(why)
        raise RuntimeError("and cannot be closed")


class _FailsAtMessages:
    """A wire that fails to encode a message, or to join frames."""

    def __init__(self, *, joins: bool) -> None:
        self._joins = joins

    def encode(self, notice: Notice) -> object:
        if isinstance(notice, Message) and self._joins:
            raise ValueError("no word for that")
        return encode(notice)

    def join(self, frames: list[object]) -> object:
        raise ValueError("cannot be joined")


async def test_a_send_that_raises_loses_nothing_for_others(caplog: pytest.LogCaptureFixture) -> None:
    """A connection that raises is closed, once; everybody else hears all of the batch, and authors are answered."""
    room = ChatRoom()
    before, broken = await Person.enter(room), _Broken()
    await room.connect(broken)
    after = await Person.enter(room)
    await before.join("Ada")
    await after.join("Bob")
    broken.fails = True
    with caplog.at_level(logging.ERROR):
        assert (await before.say("one"))["ok"]
        assert (await after.say("two"))["ok"]
    assert "one" == (await after.event("message"))["text"]
    assert "two" == (await before.event("message"))["text"]
    assert [Close.FAILED] == broken.reasons
    assert 1 == sum("failed to send" in record.message for record in caplog.records)
    await room.aclose()


@pytest.mark.parametrize("joins", [True, False], ids=["encode", "join"])
async def test_a_wire_that_raises_loses_nothing_for_other_wires(joins: bool) -> None:
    """Where a wire cannot encode or join, its connections are closed, and the other wires hear everything."""
    room = ChatRoom()
    broken = _Broken(_FailsAtMessages(joins=joins))
    await room.connect(broken)
    bob = await Person.enter(room)
    answers: list[str] = []
    for text in ("one", "two"):
        await room.post(text, author="bot")
    room.backend.core.delivery.fanout.then(lambda: answers.append("first"))
    room.backend.core.delivery.fanout.flush()
    assert ["one", "two"] == [(await bob.event("message"))["text"] for _ in range(2)]
    assert [Close.FAILED] == broken.reasons
    assert ["first"] == answers
    await room.aclose()


async def test_an_answer_that_raises_does_not_lose_the_next() -> None:
    """What is to be done after telling everybody is done, whatever the one before it did."""
    room = ChatRoom()
    bob = await Person.enter(room)
    done: list[int] = []
    await room.post("hi", author="bot")

    def fail() -> None:
        raise RuntimeError("the answer could not be sent")

    for call in (lambda: done.append(1), fail, lambda: done.append(2)):
        room.backend.core.delivery.fanout.then(call)
    room.backend.core.delivery.fanout.flush()
    assert "hi" == (await bob.event("message"))["text"]
    assert [1, 2] == done
    await room.aclose()
