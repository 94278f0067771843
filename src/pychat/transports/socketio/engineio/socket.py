"""One client of Engine.IO: polling, WebSocket, and the upgrade between them without losing or reordering anything."""

from __future__ import annotations

import asyncio
import logging
import time
from base64 import b64encode
from typing import Any, Protocol

import engineio

from pychat.domain.errors import Close
from pychat.domain.ratelog import RateLimitedLogger
from pychat.net.budget import SendBudget
from pychat.net.websocket.backpressure import wait_for_reader
from pychat.net.websocket.connection import Frame, Sender
from pychat.net.websocket.tcp import TcpWebSocket
from pychat.transports.socketio.engineio.packet import CLOSE, NOOP, BadPacket
from pychat.transports.socketio.options import Options

__all__ = ["MAX_EARLY", "REASONS", "EngineIOSocket", "SocketServer"]

_log = RateLimitedLogger(logging.getLogger("pychat.socketio"), time.monotonic)

#: Why a connection ended, in the library's words: `disconnect` handlers get one of these.
REASONS = engineio.AsyncServer.reason

#: Packets that a client may send before it is CONNECTed to a namespace: CONNECTs, and the answers to pings.
MAX_EARLY = 100


class SocketServer(Protocol):
    """What a socket needs of the server that it belongs to. Nothing here awaits."""

    options: Options

    def message(self, socket: EngineIOSocket, data: str | bytes) -> None:
        """A message has come. Raises `BadPacket` if it is none."""

    def ponged(self, socket: EngineIOSocket) -> None:
        """The client has answered the ping."""

    def ended(self, socket: EngineIOSocket, reason: str) -> None:
        """The socket has closed itself."""

    def released(self, socket: EngineIOSocket | None, carrier: Sender) -> None:
        """A WebSocket has ended; `socket` is the one that it carried, if any."""


class EngineIOSocket:
    """What the server keeps for one client, whatever carries it (Engine.IO protocol 4).

    While the client polls, what is sent gathers in `outbox` and wakes the poll that is pending; over WebSocket each
    send is one call of the carrier. Closing is one call too, and never waits. It is the reader of a WebSocket that
    pushes what it reads (`net.websocket.tcp.Reader`).
    """

    __slots__ = (
        "__weakref__",
        "alive",
        "budget",
        "carrier",
        "closed",
        "early",
        "end_code",
        "environ",
        "greeted",
        "inbox_bytes",
        "last",
        "outbox",
        "outbox_bytes",
        "poll",
        "posting",
        "probe",
        "probed",
        "reader",
        "remote",
        "room",
        "server",
        "session",
        "sid",
        "why",
    )

    def __init__(self, server: SocketServer, sid: str, remote: str) -> None:
        self.server = server
        self.sid = sid
        self.remote = remote
        self.carrier: Sender | None = None
        #: The WebSocket that wants to take over; `probed` once it has shown that it works.
        self.probe: Sender | None = None
        self.probed = False
        self.poll: asyncio.Future[bool] | None = None
        self.posting = False
        self.outbox: list[Frame | bytes] = []
        self.outbox_bytes = 0
        self.budget = SendBudget(server.options.max_buffer_bytes)
        #: Something has arrived since the last ping went out.
        self.alive = True
        self.closed = False
        #: The code of the close frame with which the client ended its WebSocket, if it did.
        self.end_code: int | None = None
        self.why: Close | None = None
        #: What the last poll of a closed socket is told; None once it has been told.
        self.last: str | None = None
        #: The name is engineio's: the application's data, by namespace.
        self.session: dict[str, Any] = {}
        self.environ: dict[str, Any] = {}
        #: It has sent a CONNECT that was not refused; `early` counts the packets before that, and the refusals.
        self.greeted = False
        self.early = 0
        #: Bytes of messages that wait for their handlers; past `max_queue_bytes` the client is not read.
        self.inbox_bytes = 0
        self.room: asyncio.Future[None] | None = None
        #: Its next event waits until the client has fetched what it was told.
        self.reader: asyncio.Future[None] | None = None

    @property
    def upgraded(self) -> bool:
        """Whether a WebSocket carries it (the name is engineio's)."""
        return self.carrier is not None

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self.outbox_bytes if self.carrier is None else self.carrier.buffered

    def send(self, frame: Frame) -> None:
        """Send a frame. A no-op once closed. Raises `ValueError` for a text that cannot be UTF-8."""
        if self.carrier is not None:
            self.carrier.send(frame)
        elif not self.closed:
            self._gather(frame, len(frame.raw))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message: as it is over WebSocket, in base64 to a poll."""
        if self.carrier is not None:
            self.carrier.send_bytes(data)
        elif not self.closed:
            self._gather(data, len(data) * 4 // 3 + 4)

    def _gather(self, item: Frame | bytes, size: int) -> None:
        if not self.budget.admits(self.outbox_bytes, size):
            self.outbox.clear()
            self._slow()
            return
        self.outbox.append(item)
        self.outbox_bytes += size
        self.wake()

    def wake(self) -> None:
        """Let the pending poll go and fetch what waits."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(True)

    async def wait_for_reader(self, max_bytes: int) -> None:
        """Wait while more than `max_bytes`, beside the largest frame, wait for a poll, or too much for a WebSocket.

        A client that asks and does not fetch the answers would have them kept here, a MiB for each socket.
        """
        if self.carrier is not None:
            await wait_for_reader(self.carrier)
        while self.budget.exceeded(self.outbox_bytes, max_bytes) and not self.closed:
            self.reader = asyncio.get_running_loop().create_future()
            try:
                await self.reader
            finally:
                self.reader = None

    def _has_read(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    def told(self) -> bool:
        """Whether there is nothing left for a closed socket's client to be told."""
        return self.last is None

    def take(self) -> str:
        """Everything that waits, as the body of a poll's answer.

        How the socket ended goes alone, in the answer after it: npm's client loses what arrives together with a CLOSE.
        """
        parts: list[str] = []
        for item in self.outbox:
            if isinstance(item, Frame):
                parts.extend(item.texts)
            else:
                parts.append("b" + b64encode(item).decode())
        self.outbox.clear()
        self.outbox_bytes = 0
        self._has_read()
        if self.closed and self.last is not None and not parts:
            parts.append(self.last)
            self.last = None
        return "\x1e".join(parts) if parts else NOOP

    def adopt(self, carrier: Sender) -> None:
        """From now on this WebSocket carries the socket; what waited for a poll goes first.

        If the socket was closed during the upgrade, the WebSocket is then closed with the same code.
        """
        self.probe = None
        self.probed = False
        self.carrier = carrier
        carrier.on_slow = self._slow
        waiting, self.outbox = self.outbox, []
        self.outbox_bytes = 0
        self._has_read()
        for item in waiting:
            if isinstance(item, Frame):
                carrier.send(item)
            else:
                carrier.send_bytes(item)
        self.rerouted()
        self.wake()
        if self.closed:
            self.last = None
            self._close_carrier(carrier)

    def _close_carrier(self, carrier: Sender) -> None:
        if self.why is None:
            carrier.close(1000)
        else:
            carrier.close(self.why.code, self.why.reason)

    def rerouted(self) -> None:
        """Another carrier has taken over. For the layer above, which may hold the carrier's methods."""

    def _slow(self) -> None:
        self.close(Close.SLOW, REASONS.TRANSPORT_CLOSE)

    def receive(self, data: str | bytes) -> None:
        """Take one Engine.IO packet. Raises `BadPacket` for what is none."""
        if self.closed:
            return
        self.alive = True
        if not self.greeted:
            self.count_early()
        if isinstance(data, bytes):
            self.server.message(self, data)
            return
        kind = data[:1]
        if kind == "4":
            self.server.message(self, data[1:])
        elif kind == "3":
            self.server.ponged(self)
        elif kind == "1":
            self.close(None, REASONS.CLIENT_DISCONNECT, last=NOOP)
        elif kind not in {"5", "6"}:
            raise BadPacket("An unknown Engine.IO packet type")

    def count_early(self) -> None:
        """Count a packet of a client that is not CONNECTed. Raises `BadPacket` when there were too many."""
        self.early += 1
        if self.early > MAX_EARLY:
            raise BadPacket("Too many packets before a CONNECT that was accepted")

    # Too much waits for the handlers: the client is not read.

    @property
    def overfull(self) -> bool:
        """Whether the client must not be read until its handlers have caught up."""
        return self.inbox_bytes > self.server.options.max_queue_bytes

    async def wait_for_room(self) -> None:
        """Wait until the client's handlers have caught up."""
        while self.overfull and not self.closed:
            room = self.room
            if room is None or room.done():
                room = self.room = asyncio.get_running_loop().create_future()
            # A body that is being taken may wait as well as the WebSocket that took over.
            # Neither ends the other's wait.
            await asyncio.wait([room])
            if self.room is room:
                self.room = None

    def make_room(self) -> None:
        """A message has been handled: let those go on that wait for room."""
        if self.room is not None and not self.room.done():
            self.room.set_result(None)

    # What a WebSocket calls that pushes what it reads.

    def received(self, data: str | bytes) -> None:
        """A message has come, whole."""
        try:
            self.receive(data)
        except BadPacket as problem:
            self.complain(problem)
        else:
            if self.inbox_bytes > self.server.options.max_queue_bytes and self.room is None:
                self._pause()

    def ended(self, code: int | None) -> None:
        """The WebSocket reads no more."""
        self.end_code = code
        if self.carrier is not None:
            self.server.released(self, self.carrier)

    def _pause(self) -> None:
        """Do not read the client's WebSocket until its handlers have caught up."""
        if isinstance(self.carrier, TcpWebSocket):
            self.carrier.pause()
            self.room = asyncio.get_running_loop().create_future()
            self.room.add_done_callback(self._look_for_room)

    def _look_for_room(self, _: asyncio.Future[None]) -> None:
        self.room = None
        if self.overfull and not self.closed:
            self._pause()
        elif isinstance(self.carrier, TcpWebSocket):
            self.carrier.resume()

    def complain(self, problem: BadPacket) -> None:
        """Close the connection of a client that does not follow the protocol."""
        _log.info("%s: %s; the connection is closed", self.remote, problem)
        self.close(Close.BAD_FRAME, REASONS.TRANSPORT_ERROR)

    def close(self, why: Close | None, reason: str, *, last: str = CLOSE) -> None:
        """End the socket at once; the client is told as far as it can be. Only the first call counts.

        `reason` is one of `REASONS`, for the `disconnect` event. `last` is the packet that the pending poll gets.
        A client whose probe was answered polls no more: its WebSocket stays open until the UPGRADE, which fetches what
        waits, or until the upgrade times out.
        """
        if self.closed:
            return
        self.closed = True
        self.why = why
        if self.probe is not None and (why is None or not self.probed):
            self.probe.close(1000)
        if self.carrier is not None:
            self._close_carrier(self.carrier)
        else:
            self.last = last
        self.make_room()
        self._has_read()
        self.server.ended(self, reason)
        self.wake()
