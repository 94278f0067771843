"""What one connection alone is told: gathered, and written at the end of a turn of the event loop."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.net.websocket.frames import Frame

__all__ = ["AnswerBatch"]

_LARGE_BYTES = 16 * 1024  # an answer of this size is written at once


class Sender(Protocol):
    """What answers are sent by."""

    def send(self, frame: Frame, /) -> None:
        """Send a frame."""


class AnswerBatch:
    """Gathers the frames of one connection."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        """Send `frame` at the end of this turn."""
        if not self._frames:
            asyncio.get_running_loop().call_soon(self.flush)
        self._frames.append(frame)
        if len(frame.raw) > _LARGE_BYTES:
            self.flush()  # so that the sender knows of it when the next command begins

    def flush(self) -> None:
        """Send what has gathered."""
        frames, self._frames = self._frames, []
        if frames:
            self._sender.send(Frame.join(frames))
