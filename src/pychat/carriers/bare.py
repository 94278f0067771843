"""A carrier over a socket of our own, with no web framework between: what is read is pushed to its reader."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.carriers.base import NO_CODE, Frame, close_frame, frame_bytes
from pychat.carriers.frames import CLOSE, PING, FrameReader
from pychat.carriers.outgoing import Outgoing

__all__ = ["BareCarrier", "Reader"]

_PONG = 0x8A


class Reader(Protocol):
    """Who hears what a carrier reads."""

    def received(self, data: str | bytes) -> None:
        """A message has come, whole."""

    def ended(self, code: int | None) -> None:
        """There will be no more; `code` is that of the client's close frame, if it sent one."""


class BareCarrier(Outgoing, asyncio.Protocol):
    """One WebSocket, from the end of its handshake. No task, no future and no queue belongs to it.

    With aiohttp's request, response, parser and task a connection takes three times the memory, and opening one twice
    the processor (`make bench`).
    """

    __slots__ = ("_ended", "_frames", "_paused", "_waiting", "reader")

    def __init__(
        self, transport: asyncio.Transport, remote: str, *, max_message_bytes: int, max_buffer_bytes: int
    ) -> None:
        """Set `reader` before the next turn of the loop."""
        super().__init__(transport, remote, max_buffer_bytes)
        self.reader: Reader
        self._frames = FrameReader(max_message_bytes)
        self._paused = False
        self._waiting: list[tuple[int, str | bytes]] = []  # read already, when it was paused
        self._ended = False

    @property
    def protocol(self) -> str | None:
        """No subprotocol."""
        return None

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
        super().close(code, reason)
        if self._paused:
            self.resume()  # for the answer

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
        self._end_transport()
        self._end(told)

    def _end(self, code: int | None) -> None:
        if not self._ended:
            self._ended = True
            self.reader.ended(code)
