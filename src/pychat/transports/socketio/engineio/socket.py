"""One client of Engine.IO: polling, WebSocket, and the upgrade between them without loss or reordering."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, Protocol

from pychat.domain.errors import Close
from pychat.domain.log_limit import RateLimitedLogger
from pychat.net.websocket.connection import Sender
from pychat.net.websocket.frames import Frame
from pychat.net.websocket.tcp import TcpWebSocket
from pychat.transports.socketio.engineio.outbox import Outbox
from pychat.transports.socketio.engineio.packet import CLOSE, NOOP, BadPacket
from pychat.transports.socketio.options import Options

__all__ = ["MAX_EARLY", "EngineIOSocket", "Listener", "Reason", "SocketOwner"]

_log = RateLimitedLogger(logging.getLogger("pychat.socketio"), time.monotonic)

#: Packets that a client may send before it is CONNECTed to a namespace: CONNECTs, and the answers to pings.
MAX_EARLY = 100


class Reason:
    """Why a connection ended, in python-engineio's words: `disconnect` handlers get one of these."""

    CLIENT_DISCONNECT = "client disconnect"
    SERVER_DISCONNECT = "server disconnect"
    PING_TIMEOUT = "ping timeout"
    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"


class Listener(Protocol):
    """The layer above one socket. Nothing here awaits."""

    def message(self, data: str | bytes, /) -> None:
        """A message has come. Raise `BadPacket` to have the connection closed."""

    def rerouted(self) -> None:
        """A WebSocket has taken over: send through `EngineIOSocket.sender` as it is now."""

    def ended(self, reason: str, /) -> None:
        """The socket is closed. Call `SocketOwner.forget` when everybody has been told."""


class SocketOwner(Protocol):
    """What keeps the sockets. Nothing here awaits."""

    options: Options

    def ponged(self, socket: EngineIOSocket) -> None:
        """The client has answered the ping."""

    def ended(self, socket: EngineIOSocket) -> None:
        """The socket has closed itself."""

    def released(self, socket: EngineIOSocket | None, websocket: Sender) -> None:
        """A WebSocket has ended; `socket` is the one that it carried, if any."""


class _Nobody:
    """Listens to a socket that is forgotten: socket and listener let go of each other."""

    def message(self, data: str | bytes) -> None:
        """Drop it."""

    def rerouted(self) -> None:
        """Nothing is sent any more."""

    def ended(self, reason: str) -> None:
        """It is known already."""


NOBODY = _Nobody()


class EngineIOSocket:
    """One client, whatever carries it (Engine.IO protocol 4).

    What is sent goes into the `outbox` of a client that polls, or straight to the WebSocket: `sender` is one of them.
    Closing is one call too, and never waits. It is the reader of a WebSocket that pushes what it reads
    (`net.websocket.tcp.Reader`).
    """

    __slots__ = (
        "__weakref__",
        "alive",
        "closed",
        "drained",
        "early",
        "end_code",
        "environ",
        "greeted",
        "inbox_bytes",
        "listener",
        "outbox",
        "owner",
        "posting",
        "probe",
        "probed",
        "remote",
        "sid",
        "websocket",
        "why",
    )

    def __init__(self, owner: SocketOwner, sid: str, remote: str, websocket: Sender | None = None) -> None:
        """A socket that polls, or that `websocket` carries from the start."""
        self.owner = owner
        self.sid = sid
        self.remote = remote
        self.listener: Listener = NOBODY
        #: The WebSocket that carries it, and what waits for its polls before there is one.
        self.websocket = websocket
        self.outbox: Outbox | None = None
        if websocket is None:
            self.outbox = Outbox(remote, owner.options.max_buffer_bytes, self._slow)
        else:
            websocket.on_slow = self._slow
        #: The WebSocket that wants to take over; `probed` once it has shown that it works.
        self.probe: Sender | None = None
        self.probed = False
        self.posting = False
        #: Something has arrived since the last ping went out.
        self.alive = True
        self.closed = False
        #: The code of the close frame with which the client ended its WebSocket, if it did.
        self.end_code: int | None = None
        self.why: Close | None = None
        self.environ: dict[str, Any] = {}
        #: It has sent a CONNECT that was not refused; `early` counts the packets before that, and the refusals.
        self.greeted = False
        self.early = 0
        #: Bytes of messages that wait for their handlers; past `max_queue_bytes` the client is not read.
        self.inbox_bytes = 0
        self.drained: asyncio.Future[None] | None = None

    @property
    def sender(self) -> Sender | Outbox:
        """What sends to the client now."""
        sender = self.websocket or self.outbox
        assert sender is not None  # noqa: S101 -- there is always one of them
        return sender

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self.sender.buffered

    def send(self, frame: Frame) -> None:
        """Send a frame. A no-op once closed. Raises `ValueError` for a text that cannot be UTF-8."""
        self.sender.send(frame)

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message: as it is over WebSocket, in base64 to a poll."""
        self.sender.send_bytes(data)

    def adopt(self, websocket: Sender) -> None:
        """From now on this WebSocket carries the socket; what waited for a poll goes first.

        If the socket was closed during the upgrade, the WebSocket is then closed with the same code.
        """
        outbox, self.outbox = self.outbox, None
        self.probe = None
        self.probed = False
        self.websocket = websocket
        websocket.on_slow = self._slow
        if outbox is not None:
            for item in outbox.drain():
                if isinstance(item, Frame):
                    websocket.send(item)
                else:
                    websocket.send_bytes(item)
            self.listener.rerouted()
            outbox.wake()
        if self.closed:
            self._close_websocket(websocket)

    def _close_websocket(self, websocket: Sender) -> None:
        if self.why is None:
            websocket.close(1000)
        else:
            websocket.close(self.why.code, self.why.reason)

    def _slow(self) -> None:
        self.close(Close.SLOW, Reason.TRANSPORT_CLOSE)

    def receive(self, data: str | bytes) -> None:
        """Take one Engine.IO packet. Raises `BadPacket` for what is none."""
        if self.closed:
            return
        self.alive = True
        if not self.greeted:
            self.count_early()
        if isinstance(data, bytes):
            self.listener.message(data)
            return
        kind = data[:1]
        if kind == "4":
            self.listener.message(data[1:])
        elif kind == "3":
            self.owner.ponged(self)
        elif kind == "1":
            self.close(None, Reason.CLIENT_DISCONNECT, last=NOOP)
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
        return self.inbox_bytes > self.owner.options.max_queue_bytes

    async def wait_until_drained(self) -> None:
        """Wait until the client's handlers have caught up."""
        while self.overfull and not self.closed:
            drained = self.drained
            if drained is None or drained.done():
                drained = self.drained = asyncio.get_running_loop().create_future()
            # A body that is being taken may wait as well as the WebSocket that took over.
            # Neither ends the other's wait.
            await asyncio.wait([drained])
            if self.drained is drained:
                self.drained = None

    def wake_drained(self) -> None:
        """A message was handled: wake whoever waits for the queue to shrink."""
        if self.drained is not None and not self.drained.done():
            self.drained.set_result(None)

    # What a WebSocket calls that pushes what it reads.

    def message_received(self, data: str | bytes) -> None:
        """Take a whole message from the WebSocket, and pass it to the listener."""
        try:
            self.receive(data)
        except BadPacket as problem:
            self.complain(problem)
        else:
            if self.inbox_bytes > self.owner.options.max_queue_bytes and self.drained is None:
                self._pause()

    def ended(self, code: int | None) -> None:
        """The WebSocket reads no more."""
        self.end_code = code
        if self.websocket is not None:
            self.owner.released(self, self.websocket)

    def _pause(self) -> None:
        """Do not read the client's WebSocket until its handlers have caught up."""
        if isinstance(self.websocket, TcpWebSocket):
            self.websocket.pause()
            self.drained = asyncio.get_running_loop().create_future()
            self.drained.add_done_callback(self._check_drained)

    def _check_drained(self, _: asyncio.Future[None]) -> None:
        self.drained = None
        if self.overfull and not self.closed:
            self._pause()
        elif isinstance(self.websocket, TcpWebSocket):
            self.websocket.resume()

    def complain(self, problem: BadPacket) -> None:
        """Close the connection of a client that does not follow the protocol."""
        _log.info("%s: %s; the connection is closed", self.remote, problem)
        self.close(Close.BAD_FRAME, Reason.TRANSPORT_ERROR)

    def close(self, why: Close | None, reason: str, *, last: str = CLOSE) -> None:
        """End the socket at once; the client is told as far as it can be. Only the first call counts.

        `reason` is one of `Reason`, for the `disconnect` event. `last` is the packet that the pending poll gets.
        A client whose probe was answered polls no more: its WebSocket stays open until the UPGRADE, which fetches what
        waits, or until the upgrade times out.
        """
        if self.closed:
            return
        self.closed = True
        self.why = why
        if self.probe is not None and (why is None or not self.probed):
            self.probe.close(1000)
        if self.websocket is not None:
            self._close_websocket(self.websocket)
        if self.outbox is not None:
            self.outbox.close(last)
        self.wake_drained()
        self.owner.ended(self)
        self.listener.ended(reason)
        if self.outbox is not None:
            self.outbox.wake()
