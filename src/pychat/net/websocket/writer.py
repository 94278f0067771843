"""Writes finished WebSocket frames directly to the socket's transport."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pychat.domain.errors import Close
from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.slow_readers.unread_frames import LARGE_BYTES
from pychat.net.websocket.connection import CLOSE_SECONDS
from pychat.net.websocket.frames import Frame, frame_bytes
from pychat.net.websocket.protocol import State, WebSocketProtocol

__all__ = ["FrameWriter"]

_BINARY = 0x82
_OPEN = State.OPEN


class FrameWriter:
    """What is sent leaves by one `transport.write()`: no task, no await, no queue.

    Pongs are written to the same transport, so the order holds.
    """

    __slots__ = ("__weakref__", "_budget", "_cut", "_protocol", "_transport", "on_slow", "remote")

    def __init__(
        self, transport: asyncio.Transport, remote: str, *, max_message_bytes: int, max_buffer_bytes: int
    ) -> None:
        self.remote = remote
        self.on_slow: Callable[[], None] | None = None
        self._transport = transport
        self._protocol = WebSocketProtocol(max_message_bytes)
        self._budget = SendBudget(max_buffer_bytes)
        self._cut: asyncio.TimerHandle | None = None

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver, beyond what the kernel has taken."""
        return self._transport.get_write_buffer_size()

    def send(self, frame: Frame) -> None:
        """Send a frame; a receiver that is too far behind is closed with `Close.SLOW`."""
        transport = self._transport
        if self._protocol.state or transport.is_closing():  # `State.OPEN` is 0
            return
        raw, waiting = frame.raw, transport.get_write_buffer_size()
        if not waiting and len(raw) <= LARGE_BYTES:  # the usual case, a call less for each member: it is admitted
            self._budget.largest = len(raw)
            transport.write(raw)
        elif self._budget.admits(waiting, len(raw), frame, self):
            transport.write(raw)
        else:
            self.fall_behind()

    def fall_behind(self) -> None:
        """Close the connection with `Close.SLOW`."""
        self.close(Close.SLOW.code, Close.SLOW.reason)
        if self.on_slow is not None:
            self.on_slow()

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._send_raw(frame_bytes(_BINARY, data))

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Write a close frame behind what waits; the connection is cut if the client does not answer in time."""
        closing = self._protocol.close(code, reason)
        if closing:
            if not self._transport.is_closing():
                self._transport.write(closing)
            self._cut_later()

    def drop(self) -> None:
        """Close the connection with `Close.SLOW`, and cut it."""
        self.fall_behind()
        self.abort()

    def abort(self) -> None:
        """Cut the connection at once."""
        self._protocol.stop()
        self._cut_never()
        self._transport.abort()

    def _send_raw(self, raw: bytes) -> None:
        frame = Frame()
        frame.raw = raw
        self.send(frame)

    def _end_transport(self) -> None:
        """Nothing more is sent: flush what waits, for `CLOSE_SECONDS` at most, and hang up."""
        self._transport.close()
        if self._transport.get_write_buffer_size():
            self._cut_later()
        else:
            self._cut_never()

    def _cut_later(self) -> None:
        if self._cut is None:
            self._cut = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self._transport.abort)

    def _cut_never(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
