"""One visitor's commands: begun in the order in which they came, and not each held up by the storing of the one before.

A store commits what waits together. If a visitor's next message were read only when the one before is on the disk, a
visitor could have one message in each commit; so messages are begun, and the next command is looked at while they are
stored. What has to be waited for before a message is begun (a hook, the message that it answers) is waited for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from pychat.net.websocket.connection import Frame
from pychat.room.session import Session
from pychat.transports.commands import execute

__all__ = ["Answers", "Pipeline"]

_MOST = 256  # messages of one visitor on their way into the log


class Pipeline:
    """Carries out the commands of `session`."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._under_way: set[asyncio.Task[None]] | None = None

    async def execute(self, name: str, fields: object, answer: Callable[[dict[str, Any]], None]) -> None:
        """Begin a command after those before it have begun; call `answer` with its answer when there is one."""
        if self.session.stores_at_once:
            await self._carry_out(name, fields, answer)
            return
        if name == "say" and self.session.begins_at_once(fields):
            # Tasks take their first step in the order in which they are made, and that step takes a message into the
            # store's queue.
            task = asyncio.get_running_loop().create_task(self._carry_out(name, fields, answer))
            self._under_way = self._under_way or set()
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            if len(self._under_way) >= _MOST:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            return
        if self._under_way:
            await asyncio.sleep(0)
        await self._carry_out(name, fields, answer)

    async def _carry_out(self, name: str, fields: object, answer: Callable[[dict[str, Any]], None]) -> None:
        told = await execute(self.session, name, fields, gathered=True)
        self.session.after_telling(lambda: answer(told))


class Sender(Protocol):
    """What answers are sent by."""

    def send(self, frame: Frame, /) -> None:
        """Send a frame."""


class Answers:
    """What one connection alone is told: gathered, and written at the end of a turn of the event loop."""

    def __init__(self, way: Sender) -> None:
        self._way = way
        self._frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        """Send `frame` at the end of this turn."""
        if not self._frames:
            asyncio.get_running_loop().call_soon(self.flush)
        self._frames.append(frame)

    def flush(self) -> None:
        """Send what has gathered."""
        frames, self._frames = self._frames, []
        if frames:
            self._way.send(Frame.joined(frames))
