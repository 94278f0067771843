"""A carrier over a socket of our own, with no web framework between: what is read is pushed to its reader."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.domain.limits import TokenBucket
from pychat.net.websocket.connection import NO_CODE, Frame, close_frame, frame_bytes
from pychat.net.websocket.protocol import CLOSE, PING, POLICY, FrameReader
from pychat.net.websocket.writer import FrameWriter

__all__ = ["CHEAP_BURST", "CHEAP_RATE", "Reader", "TcpWebSocket"]

#: Frames that cost their sender next to nothing (control frames, empty frames, small fragments): so many a second, and
#: so many at once. Past them the connection is closed with 1008.
CHEAP_RATE = 50.0
CHEAP_BURST = 500

_PONG = 0x8A
_REASONS = {POLICY: "too many control frames, empty frames or fragments"}


class Reader(Protocol):
    """Who hears what a carrier reads."""

    def received(self, data: str | bytes) -> None:
        """A message has come, whole."""

    def ended(self, code: int | None) -> None:
        """There will be no more; `code` is that of the client's close frame, if it sent one."""


class _Nobody:
    """Reads a carrier that has ended: the two let go of each other."""

    def received(self, data: str | bytes) -> None:
        """Drop it."""

    def ended(self, code: int | None) -> None:
        """Know it already."""


_NOBODY = _Nobody()


class TcpWebSocket(FrameWriter, asyncio.Protocol):
    """One WebSocket, from the end of its handshake. No task, no future and no queue belongs to it.

    With aiohttp's request, response, parser and task a connection takes three times the memory, and opening one twice
    the processor (`make bench`).

    One turn of the event loop reads a bounded number of frames and bytes. While there is more, the socket is not read,
    and the rest follows in the next turns, between those of everybody else.
    """

    __slots__ = ("_bucket", "_ended", "_frames", "_paused", "_turn", "_waiting", "reader")

    def __init__(
        self, transport: asyncio.Transport, remote: str, *, max_message_bytes: int, max_buffer_bytes: int
    ) -> None:
        """Set `reader` before the next turn of the loop."""
        super().__init__(transport, remote, max_buffer_bytes)
        self.reader: Reader
        self._frames = FrameReader(max_message_bytes)
        self._bucket: TokenBucket | None = None
        self._paused = False
        self._turn: asyncio.Handle | None = None  # the next turn, where there is more than one takes
        self._waiting: list[tuple[int, str | bytes]] = []  # read already, when it was paused
        self._ended = False

    @property
    def protocol(self) -> str | None:
        """No subprotocol."""
        return None

    def pause(self) -> None:
        """Push nothing more, and leave the socket alone."""
        self._paused = True
        self._stop_reading()

    def resume(self) -> None:
        """Go on."""
        self._paused = False
        waiting, self._waiting = self._waiting, []
        self._push(waiting)
        self._read_on()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the client does not answer in time."""
        super().close(code, reason)
        if self._paused:
            self.resume()  # for the answer

    # What the event loop calls (asyncio.Protocol).

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if self._paused or self._turn is not None:
            self._frames.hold(data)
            self._stop_reading()
            return
        self._read(data)
        if self._frames.pending:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone."""
        self._closing = True
        if self._cut is not None:
            self._cut.cancel()
        if self._turn is not None:
            self._turn.cancel()
        self._end(None)

    def _read(self, data: bytes) -> None:
        frames = self._frames
        whole = frames.feed(data)
        if frames.cheap:
            self._charge()
        self._push(whole)

    def _charge(self) -> None:
        """Take the price of cheap frames."""
        count, self._frames.cheap = self._frames.cheap, 0
        if self._bucket is None:
            self._bucket = TokenBucket(CHEAP_RATE, CHEAP_BURST)
        now = asyncio.get_running_loop().time()
        if any(self._bucket.take(now) for _ in range(count)):
            self._frames.fail(POLICY)

    def _read_on(self) -> None:
        """Go on with what one turn did not get to, in the next; without that, read the socket."""
        if self._paused or self._turn is not None:
            return
        if self._frames.pending:
            self._stop_reading()
            self._turn = asyncio.get_running_loop().call_soon(self._next_turn)
        elif not self._transport.is_closing():
            self._transport.resume_reading()

    def _next_turn(self) -> None:
        self._turn = None
        if not self._paused:
            self._read(b"")
            self._read_on()

    def _stop_reading(self) -> None:
        if not self._transport.is_closing():
            self._transport.pause_reading()

    def _push(self, whole: list[tuple[int, str | bytes]]) -> None:
        for index, (opcode, payload) in enumerate(whole, 1):
            if opcode == CLOSE and isinstance(payload, bytes):
                self._answer_close(int.from_bytes(payload[:2]) if payload else NO_CODE)
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
        failed = self._frames.failed
        if failed is not None and not self._ended:
            if self._closing:
                self._end_transport()  # what comes is no answer to the close frame
            else:
                self.close(failed, _REASONS.get(failed, ""))
            self._end(None)

    def _answer_close(self, code: int) -> None:
        told: int | None = None
        if not self._closing:
            self._closing = True
            told = code
            self._transport.write(close_frame(1000 if code == NO_CODE else code, ""))
        self._end_transport()
        self._end(told)

    def _end(self, code: int | None) -> None:
        if not self._ended:
            self._ended = True
            reader, self.reader = self.reader, _NOBODY
            self._waiting = []
            self._frames.stop()
            self.on_slow = None
            reader.ended(code)
