"""A WebSocket over a plain socket, without a web framework."""

from __future__ import annotations

import asyncio
from typing import Protocol

from pychat.domain.rates import Rates, Usage
from pychat.net.websocket.protocol import POLICY, State
from pychat.net.websocket.writer import FrameWriter

__all__ = ["Reader", "TcpWebSocket"]

_OPEN, _CLOSED = State.OPEN, State.CLOSED
_CHEAP = Rates({})["frames"]  # frames that cost their sender next to nothing; past it the connection is closed, 1008
_TOO_CHEAP = "too many control frames, empty frames or fragments"


class Reader(Protocol):
    """Receives what a WebSocket reads."""

    def message_received(self, data: str | bytes) -> None:
        """A message has come, whole."""

    def ended(self, code: int | None) -> None:
        """There will be no more; `code` is that of the client's close frame, if it sent one."""


class _Nobody:
    """Reads a WebSocket that has ended, so that it no longer refers to its reader."""

    def message_received(self, data: str | bytes) -> None:
        """Drop the message."""

    def ended(self, code: int | None) -> None:
        """Do nothing: the reader was told already."""


_NOBODY = _Nobody()


class TcpWebSocket(FrameWriter, asyncio.Protocol):
    """One WebSocket, from the end of its handshake. No task, no future and no queue belongs to it.

    With aiohttp's request, response, parser and task a connection takes three times the memory, and opening one twice
    the processor (`make bench`).

    One turn of the event loop reads a bounded number of frames and bytes. While there is more, the socket is not read,
    and the rest follows in the next turns, between those of other connections.
    """

    __slots__ = ("_cheap", "_paused", "_turn", "reader")

    def __init__(
        self, transport: asyncio.Transport, remote: str, *, max_message_bytes: int, max_buffer_bytes: int
    ) -> None:
        """Set `reader` before the next turn of the loop."""
        super().__init__(transport, remote, max_message_bytes=max_message_bytes, max_buffer_bytes=max_buffer_bytes)
        self.reader: Reader
        self._cheap: Usage | None = None
        self._paused = False
        self._turn: asyncio.Handle | None = None  # the next turn, if more waits than one turn reads

    @property
    def protocol(self) -> str | None:
        """No subprotocol."""
        return None

    def pause(self) -> None:
        """Push no more messages, and leave the socket unread."""
        self._paused = True
        self._stop_reading()

    def resume(self) -> None:
        """Push messages again, from the next turn of the event loop on."""
        self._paused = False
        self._read_on()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the client does not answer in time."""
        super().close(code, reason)
        if self._paused:
            self.resume()  # for the answer

    # What the event loop calls (asyncio.Protocol).

    def data_received(self, data: bytes) -> None:
        """Parse the bytes that the client sent, and pass on each whole message."""
        if self._paused or self._turn is not None:
            self._protocol.hold(data)
            self._stop_reading()
            return
        self._read(data)
        if self._protocol.pending:
            self._read_on()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has gone."""
        self._protocol.stop()
        self._cut_never()
        if self._turn is not None:
            self._turn.cancel()
        self._end(None)

    def _read(self, data: bytes) -> None:
        protocol = self._protocol
        for message in protocol.feed(data):
            if protocol.outgoing:
                self._send_outgoing()
                if protocol.state is not _OPEN:
                    continue  # it was too slow to be sent a pong
            self.reader.message_received(message)
            if self._paused:
                break
        if protocol.cheap:
            self._charge()
        if protocol.outgoing:
            self._send_outgoing()
        if protocol.state is _CLOSED and self.reader is not _NOBODY:
            self._finish()

    def _charge(self) -> None:
        """Count cheap frames; close the connection if there were too many."""
        count, self._protocol.cheap = self._protocol.cheap, 0
        if self._cheap is None:
            self._cheap = Usage()
        now = asyncio.get_running_loop().time()
        if any(self._cheap.take(_CHEAP, now) for _ in range(count)):
            self._protocol.fail(POLICY, _TOO_CHEAP)

    def _send_outgoing(self) -> None:
        """Send the control frames of the protocol; the last one is not held to the send budget."""
        outgoing, self._protocol.outgoing = self._protocol.outgoing, b""
        if self._protocol.state is not _CLOSED:
            self._send_raw(outgoing)
        elif not self._transport.is_closing():
            self._transport.write(outgoing)

    def _finish(self) -> None:
        """The protocol has closed: hang up. A client that broke a rule, even while closing, has time to read why.

        The system resets a connection that is closed with unread bytes, and the close frame would be lost.
        """
        if not self._protocol.broken:
            self._end_transport()
        else:
            self._cut_later()
        self._end(self._protocol.close_code)

    def _read_on(self) -> None:
        """Go on with what one turn did not get to, in the next; without that, read the socket."""
        if self._paused or self._turn is not None:
            return
        if self._protocol.pending:
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

    def _end(self, code: int | None) -> None:
        """Tell the reader that nothing more comes, once."""
        reader, self.reader = self.reader, _NOBODY
        self._protocol.stop()
        self.on_slow = None
        reader.ended(code)
