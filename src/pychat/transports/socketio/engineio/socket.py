"""One Engine.IO session: polling, WebSocket, and the way from one to the other without losing or swapping anything."""

from __future__ import annotations

import asyncio
from base64 import b64encode
from typing import TYPE_CHECKING, Any

from pychat.domain.errors import Close
from pychat.domain.limits import TokenBucket
from pychat.net.websocket.connection import Frame, Sender
from pychat.transports.socketio.packet import BadPacket, Undecoded

if TYPE_CHECKING:
    from pychat.transports.socketio.client import SocketIOClient
    from pychat.transports.socketio.engineio.server import EngineIOServer

__all__ = ["CLOSE", "NOOP", "PING", "PROBE", "PROBE_PONG", "UPGRADE", "Session"]

CLOSE = "1"
NOOP = "6"
PROBE = "2probe"
UPGRADE = "5"
#: Packets that a client may send before it is CONNECTed to a namespace: CONNECTs, and the answers to pings.
MAX_EARLY = 100
# CONNECTs of a client that comes and goes: so many a second, and so many at once. Each costs as much as a connection.
_CONNECT_RATE = 1.0
_CONNECT_BURST = 10
PING = Frame("2")
PROBE_PONG = Frame("3probe")


class Session:
    """What the server keeps for one client, whatever carries it (Engine.IO protocol 4).

    While the client polls, what is sent gathers in `outbox` and wakes the poll that is pending; over WebSocket each
    send is one call of the carrier. Closing is one call too, and never waits.
    """

    __slots__ = (
        "__weakref__",
        "alive",
        "carrier",
        "closed",
        "connects",
        "early",
        "end_code",
        "environ",
        "greeted",
        "half_packet",
        "inbox",
        "inbox_bytes",
        "largest",
        "last",
        "left",
        "outbox",
        "outbox_bytes",
        "poll",
        "posting",
        "probe",
        "probed",
        "reader",
        "reason",
        "remote",
        "room",
        "server",
        "session",
        "sid",
        "why",
        "wires",
        "working",
    )

    def __init__(self, server: EngineIOServer, sid: str, remote: str) -> None:
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
        self.largest = 0  # of what came since the outbox was last empty, in bytes: it is not counted
        #: Something has arrived since the last ping went out.
        self.alive = True
        self.closed = False
        #: The code of the close frame with which the client ended its WebSocket, if it did.
        self.end_code: int | None = None
        self.why: Close | None = None
        #: What the last poll of a closed session is told; None once it has been told.
        self.last: str | None = None
        #: The name is engineio's: the application's data, by namespace.
        self.session: dict[str, Any] = {}
        self.environ: dict[str, Any] = {}
        # Of Socket.IO: what this client is connected to, and what it sent that is not handled yet.
        #: It has sent a CONNECT that was not refused; `early` counts the packets before that, and the refusals.
        self.greeted = False
        self.early = 0
        # What CONNECTs cost, of a client that has left a namespace.
        self.connects: TokenBucket | None = None
        self.wires: dict[str, SocketIOClient] = {}
        self.left: frozenset[str] = frozenset()
        self.half_packet: Undecoded | None = None
        self.inbox: list[Undecoded] = []  # an empty deque takes 760 bytes
        self.inbox_bytes = 0
        #: Why it ended, in a word of engineio's, until its `disconnect` handlers have run.
        self.reason: str | None = None
        self.room: asyncio.Future[None] | None = None
        #: Its next event waits until the client has fetched what it was told.
        self.reader: asyncio.Future[None] | None = None
        self.working = False

    @property
    def upgraded(self) -> bool:
        """Whether it is carried by WebSocket (the name is engineio's)."""
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
        if not self.outbox or size > self.largest:
            self.largest = size
        if self.outbox_bytes + size > self.server.options.max_buffer_bytes + self.largest:
            self.outbox.clear()
            self.close(Close.SLOW, self.server.reason.TRANSPORT_CLOSE)
            return
        self.outbox.append(item)
        self.outbox_bytes += size
        self.wake()

    def wake(self) -> None:
        """Let the pending poll go and fetch what waits."""
        if self.poll is not None and not self.poll.done():
            self.poll.set_result(True)

    async def wait_for_reader(self, max_bytes: int) -> None:
        """Wait while more than `max_bytes`, beside the largest frame, wait for a poll.

        Who asks and does not fetch the answers would have them kept here, a MiB for each session.
        """
        while self.outbox_bytes - self.largest > max_bytes and not self.closed:
            self.reader = asyncio.get_running_loop().create_future()
            try:
                await self.reader
            finally:
                self.reader = None

    def _has_read(self) -> None:
        if self.reader is not None and not self.reader.done():
            self.reader.set_result(None)

    def told(self) -> bool:
        """Whether there is nothing left for a closed session's client to be told."""
        return self.last is None

    def take(self) -> str:
        """Everything that waits, as the body of a poll's answer.

        How the session ended goes alone, in the answer after it: npm's client loses what arrives together with a CLOSE.
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
        """From now on this WebSocket carries the session; what waited for a poll goes first."""
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
        for wire in self.wires.values():
            wire.reroute()
        self.wake()

    def _slow(self) -> None:
        self.close(Close.SLOW, self.server.reason.TRANSPORT_CLOSE)

    def receive(self, data: str | bytes) -> None:
        """Take one Engine.IO packet. Raises `BadPacket` for what is none."""
        if self.closed:
            return
        self.alive = True
        if not self.greeted:
            self.count_early()
        if isinstance(data, bytes):
            self.server.listener.packet(self, data)
            return
        kind = data[:1]
        if kind == "4":
            self.server.listener.packet(self, data[1:])
        elif kind == "3":
            self.server.ponged(self)
        elif kind == "1":
            self.close(None, self.server.reason.CLIENT_DISCONNECT, last=NOOP)
        elif kind not in {"5", "6"}:
            raise BadPacket("An unknown Engine.IO packet type")

    def count_connect(self) -> None:
        """Count a CONNECT of a client that has left a namespace. Raises `BadPacket` when there were too many."""
        if self.connects is not None and self.connects.take(asyncio.get_running_loop().time()):
            raise BadPacket("Too many CONNECTs, one after the other")

    def count_leave(self) -> None:
        """It has left a namespace: what it connects to from now on is counted."""
        if self.connects is None:
            self.connects = TokenBucket(_CONNECT_RATE, _CONNECT_BURST)

    def count_early(self) -> None:
        """Count a packet of a client that is not CONNECTed. Raises `BadPacket` when there were too many."""
        self.early += 1
        if self.early > MAX_EARLY:
            raise BadPacket("Too many packets before a CONNECT that was accepted")

    def close(self, why: Close | None, reason: str, *, last: str = CLOSE) -> None:
        """End the session at once; the client is told as far as it can be. Only the first call counts.

        `reason` is one of engineio's, for the `disconnect` event. `last` is the packet that the pending poll gets.
        """
        if self.closed:
            return
        self.closed = True
        self.why = why
        if self.probe is not None:
            self.probe.close(1000)
        if self.carrier is not None:
            if why is None:
                self.carrier.close(1000)
            else:
                self.carrier.close(why.code, why.reason)
        else:
            self.last = last
        if self.room is not None and not self.room.done():
            self.room.set_result(None)
        self._has_read()
        self.server.ended(self, reason)
        self.wake()
