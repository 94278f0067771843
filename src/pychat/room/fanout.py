"""The fan-out: sends one notice to every connection of this process, encoded once for each encoder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pychat.domain.errors import Close
from pychat.domain.notices import Notice
from pychat.room.connection import Connection, Encoder

__all__ = ["Fanout", "close_quietly", "join_frames"]

_log = logging.getLogger("pychat.room")
_NoticeT = TypeVar("_NoticeT", bound=Notice)

#: The most turns of the event loop that a write waits for more frames. A turn takes 10 µs; a write to each of 1,000
#: members takes 8 ms.
_TURNS = 8


class Fanout:
    """The connections of a room in this process, grouped by encoder.

    All frames of one turn of the event loop are one write for each connection. While the next turns add more frames, up
    to `_TURNS`, the write waits for them. A message that comes alone is written at the end of its turn.

    A connection whose `send` raises is closed with `Close.FAILED`. The others and the calls of `then` are not affected.
    If an encoder fails, all of its connections are closed with that code.
    """

    def __init__(self) -> None:
        self._groups: dict[Encoder, dict[Connection, None]] = {}
        self._pending: dict[Encoder, list[tuple[object, Connection | None]]] = {}
        self._after: list[Callable[[], None]] = []
        self._turns = 0
        self._grown = False

    def __len__(self) -> int:
        return sum(map(len, self._groups.values()))

    def __iter__(self) -> Iterator[Connection]:
        for group in list(self._groups.values()):
            yield from list(group)

    def add(self, connection: Connection) -> None:
        """Let `connection` hear what is sent from now on."""
        self.flush()
        self._groups.setdefault(connection.encoder, {})[connection] = None

    def discard(self, connection: Connection) -> None:
        """Forget `connection`, if it is known."""
        group = self._groups.get(connection.encoder)
        if group is not None:
            group.pop(connection, None)
            if not group:
                del self._groups[connection.encoder]

    def send(
        self,
        notice: _NoticeT,
        encode: Callable[[Encoder, _NoticeT], object] | None = None,
        *,
        skip: Connection | None = None,
    ) -> None:
        """Encode `notice` once for each encoder, and queue the frames for everyone but `skip`.

        `encode` takes the place of the encoders' own method. A frame that is `None` is not sent.
        """
        for encoder in tuple(self._groups):
            try:
                frame = encoder.encode(notice) if encode is None else encode(encoder, notice)
            except Exception:
                _log.exception("The encoder %r failed to encode an event; its connections are closed", encoder)
                self._fail(tuple(self._groups.get(encoder, ())))
                continue
            if frame is not None:
                if not self._pending:
                    self._turns = 0
                    asyncio.get_running_loop().call_soon(self._turn, self._pending)
                self._grown = True
                self._pending.setdefault(encoder, []).append((frame, skip))

    def send_to(self, connection: Connection, frame: object) -> None:
        """Send a frame to one connection alone."""
        self._write(connection.encoder, [frame], [connection])

    def then(self, call: Callable[[], None]) -> None:
        """Call `call` when the queued frames are written: now, if none is queued."""
        if self._pending:
            self._after.append(call)
        else:
            call()

    def _turn(self, pending: object) -> None:
        """Write now, or wait for another turn if this one added frames."""
        if pending is not self._pending:
            return  # it has been written already
        if self._grown and self._turns < _TURNS:
            self._grown = False
            self._turns += 1
            asyncio.get_running_loop().call_soon(self._turn, pending)
        else:
            self.flush()

    def flush(self) -> None:
        """Write the queued frames. Plain calls in a plain loop: nothing can come between two receivers."""
        pending, self._pending = self._pending, {}
        after, self._after = self._after, []
        for encoder, frames in pending.items():
            group = self._groups.get(encoder, {})
            others = group.copy()
            skipping = {skip: None for _, skip in frames if skip in group}
            for skip in skipping:
                del others[skip]
            self._write(encoder, [frame for frame, _ in frames], others)
            for connection in skipping:
                self._write(encoder, [frame for frame, skip in frames if skip is not connection], [connection])
        for call in after:
            try:
                call()
            except Exception:
                _log.exception("What was to be done after telling everybody failed: %r", call)

    def _write(self, encoder: Encoder, frames: list[object], listeners: Iterable[Connection]) -> None:
        """Write `frames`, in order, to each listener that does not fail at it."""
        if len(frames) > 1:
            try:
                frames = join_frames(encoder, frames)
            except Exception:
                _log.exception("The encoder %r failed to join frames; its connections are closed", encoder)
                self._fail(listeners)
                return
        for frame in frames:
            failed: list[Connection] = []
            # The hot path: over a WebSocket, `send` is `FrameWriter.send` itself (see `SocketIOClient.send`).
            for connection in listeners:
                try:
                    connection.send(frame)
                except Exception:
                    _log.exception("%r failed to send; it is closed", connection)
                    failed.append(connection)
            if failed:
                listeners = [each for each in listeners if each not in failed]
                self._fail(failed)

    def _fail(self, connections: Iterable[Connection]) -> None:
        """Close connections that cannot be told what happens: they may come back, and catch up."""
        for connection in connections:
            self.discard(connection)
            close_quietly(connection, Close.FAILED)


def close_quietly(connection: Connection, why: Close) -> None:
    """Close `connection`; log what it raises, which a connection should not."""
    try:
        connection.close(why)
    except Exception:
        _log.exception("%r failed to close", connection)


def join_frames(encoder: Encoder, frames: list[object]) -> list[object]:
    """`frames` as one, if the encoder can join them."""
    whole = encoder.join(frames) if len(frames) > 1 else None
    return frames if whole is None else [whole]
