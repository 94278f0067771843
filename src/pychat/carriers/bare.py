"""A carrier over a socket of our own, with no web framework between: what is read is pushed to its reader."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from pychat.carriers.base import CLOSE_SECONDS, NO_CODE, Frame, close_frame, frame_bytes
from pychat.carriers.frames import CLOSE, PING, FrameReader
from pychat.errors import Close

__all__ = ["BareCarrier", "Reader"]

_BINARY, _PONG = 0x82, 0x8A


class Reader(Protocol):
    """Who hears what a carrier reads."""

    def received(self, data: str | bytes) -> None:
        """A message has come, whole."""

    def ended(self, code: int | None) -> None:
        """There will be no more; `code` is that of the client's close frame, if it sent one."""


class BareCarrier(asyncio.Protocol):
    """One WebSocket, from the end of its handshake. No task, no future and no queue belongs to it.

    With aiohttp's request, response, parser and task a connection takes twice the memory, and opening one three
    times the processor.
    """

    __slots__ = (
        "_closing",
        "_cut",
        "_ended",
        "_frames",
        "_limit",
        "_paused",
        "_transport",
        "_waiting",
        "on_slow",
        "reader",
        "remote",
    )

    def __init__(
        self, transport: asyncio.Transport, remote: str, *, max_message_bytes: int, max_buffer_bytes: int
    ) -> None:
        """Set `reader` before the next turn of the loop."""
        self.reader: Reader
        self.remote = remote
        self.on_slow: Callable[[], None] | None = None
        self._transport = transport
        self._limit = max_buffer_bytes
        self._frames = FrameReader(max_message_bytes)
        self._paused = False
        self._waiting: list[tuple[int, str | bytes]] = []  # read already, when it was paused
        self._closing = False
        self._ended = False
        self._cut: asyncio.TimerHandle | None = None

    @property
    def protocol(self) -> str | None:
        """No subprotocol."""
        return None

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver, beyond what the kernel has taken."""
        return self._transport.get_write_buffer_size()

    def send(self, frame: Frame) -> None:
        """Send a frame; a receiver that is too far behind is closed with `Close.SLOW`."""
        # An empty buffer takes any frame: a large welcome is no slowness.
        transport = self._transport
        if self._closing or transport.is_closing():
            return
        waiting = transport.get_write_buffer_size()
        if waiting and waiting + len(frame.raw) > self._limit:
            self.close(Close.SLOW.code, Close.SLOW.reason)
            if self.on_slow is not None:
                self.on_slow()
        else:
            transport.write(frame.raw)

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        frame = Frame()
        frame.raw = frame_bytes(_BINARY, data)
        self.send(frame)

    def pause(self) -> None:
        """Push nothing more, and leave the socket alone."""
        self._paused = True
        self._transport.pause_reading()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        waiting, self._waiting = self._waiting, []
        self._push(waiting)
        if not self._paused and not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the client does not answer in time."""
        if self._closing:
            return
        self._closing = True
        if not self._transport.is_closing():
            self._transport.write(close_frame(code, reason))
            if self._paused:
                self.resume()  # for the answer
        self._cut_later()

    def abort(self) -> None:
        """Cut the connection at once."""
        self._closing = True
        self._transport.abort()

    # What the event loop calls (asyncio.Protocol).

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        self._push(self._frames.feed(data))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone."""
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        self._end(None)

    def _push(self, whole: list[tuple[int, str | bytes]]) -> None:
        for index, (opcode, payload) in enumerate(whole, 1):
            if opcode == CLOSE and isinstance(payload, bytes):
                self._answer_close(int.from_bytes(payload[:2]) if len(payload) > 1 else NO_CODE)
                return
            if opcode == PING and isinstance(payload, bytes) and not self._closing:
                pong = Frame()
                pong.raw = frame_bytes(_PONG, payload)
                self.send(pong)
            elif opcode < CLOSE and not self._closing:
                self.reader.received(payload)
                if self._paused:
                    self._waiting = whole[index:]
                    return
        if self._frames.failed is not None and not self._closing:
            self.close(self._frames.failed)
            self._end(None)

    def _answer_close(self, code: int) -> None:
        told: int | None = None
        if not self._closing:
            self._closing = True
            told = code
            self._transport.write(close_frame(code if 1000 <= code < 5000 and code != NO_CODE else 1000, ""))
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._cut_later()
        elif self._cut is not None:
            self._cut.cancel()
        self._end(told)

    def _end(self, code: int | None) -> None:
        if not self._ended:
            self._ended = True
            self.reader.ended(code)

    def _cut_later(self) -> None:
        if self._cut is None:
            self._cut = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)
