"""All Engine.IO sockets of a server, with their deadlines."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from pychat.domain.errors import Close
from pychat.net.addresses import AddressLimiter
from pychat.net.deadlines import Deadlines
from pychat.net.http.gate import Gate, Handshakes
from pychat.net.websocket.connection import CLOSE_SECONDS, Sender
from pychat.room.tokens import Tokens
from pychat.transports.socketio.engineio.packet import PING
from pychat.transports.socketio.engineio.pending import Pending
from pychat.transports.socketio.engineio.socket import NOBODY, EngineIOSocket, Reason
from pychat.transports.socketio.options import Options

__all__ = ["SocketRegistry", "new_id"]

_log = logging.getLogger("pychat.socketio")

#: After these the session of a polling client is unknown at once, as the protocol's test suite has it. After the others
#: a client that is between two polls gets what waits, and then the end, with its next ones.
_UNTOLD = {None, Close.BAD_FRAME, Close.TOO_LARGE, Close.TIMEOUT}


def new_id() -> str:
    """A fresh id that nobody can guess, as long as python-engineio's: 120 random bits, URL-safe."""
    return Tokens.new_id(15)


class SocketRegistry:
    """Keeps the sockets. No task is started for a connection; each kind of deadline has one timer for all sockets."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.sockets: dict[str, EngineIOSocket] = {}
        #: Sockets that are closed and whose clients fetch that with their next poll: the latest, at most as many as may
        #: be open.
        self.parting: dict[str, EngineIOSocket] = {}
        #: WebSockets that a host is not done with.
        self.websockets: set[Sender] = set()
        self.tasks: set[asyncio.Task[None]] = set()
        self._quiet: asyncio.Future[None] | None = None
        pending = AddressLimiter(options.max_pending, options.max_pending_per_address)
        #: Admits new sockets.
        self.gate = Gate(AddressLimiter(options.max_connections, options.max_connections_per_address), pending)
        #: Sockets that are CONNECTed to no namespace.
        self.connecting = Pending(options.connect_timeout, pending, self._never_connected)
        #: Sockets whose upgrade has begun and not ended.
        self.upgrading = Deadlines[EngineIOSocket](options.upgrade_timeout, self._never_upgraded)
        self.pings = Deadlines[EngineIOSocket](options.ping_seconds, self._ping)
        self.pongs = Deadlines[EngineIOSocket](options.ping_timeout, self._pong_late)
        self.partings = Deadlines[EngineIOSocket](CLOSE_SECONDS, self.part)

    def share(self, limits: AddressLimiter, handshakes: Handshakes | None) -> None:
        """Count sockets together with the connections of other transports."""
        self.gate.limits, self.gate.handshakes = limits, handshakes

    @property
    def _deadlines(self) -> tuple[Pending | Deadlines[EngineIOSocket], ...]:
        return self.connecting, self.pings, self.pongs

    def add(self, remote: str, websocket: Sender | None) -> EngineIOSocket:
        """Open a socket for a client that polls, or on its WebSocket."""
        socket = EngineIOSocket(self, new_id(), remote, websocket)
        self.sockets[socket.sid] = socket
        self.gate.add(remote)
        self.connecting.start(socket)
        self.pings.start(socket)
        return socket

    def forget(self, socket: EngineIOSocket) -> None:
        """Everybody has been told that it is over."""
        socket.listener = NOBODY
        if self.sockets.pop(socket.sid, None) is not None:
            self.gate.leave(socket.remote)

    def connected(self, socket: EngineIOSocket) -> None:
        """It is CONNECTed to a namespace: no deadline any more."""
        socket.early = 0
        self.connecting.stop(socket)

    def unconnected(self, socket: EngineIOSocket) -> None:
        """It is CONNECTed to nothing (any more)."""
        socket.greeted = False
        if not socket.closed:
            self.connecting.start(socket)

    def ponged(self, socket: EngineIOSocket) -> None:
        """The ping has been answered."""
        if self.pongs.stop(socket):
            self.pings.start(socket)

    def ended(self, socket: EngineIOSocket) -> None:
        """A socket has closed itself."""
        for deadlines in self._deadlines:
            deadlines.stop(socket)
        outbox = socket.outbox
        if outbox is not None and (outbox.poll is None or not outbox.empty) and socket.why not in _UNTOLD:
            self.parting[socket.sid] = socket
            self.partings.start(socket)
            if len(self.parting) > self.options.max_connections:
                self.part(next(iter(self.parting.values())))

    def part(self, socket: EngineIOSocket) -> None:
        """The client of a closed socket has been told, or had its time for that."""
        self.partings.stop(socket)
        self.parting.pop(socket.sid, None)
        self._less()

    def released(self, socket: EngineIOSocket | None, websocket: Sender) -> None:
        """The host is done with this WebSocket, however that came."""
        if socket is not None:
            socket.close(None, Reason.TRANSPORT_CLOSE)
            self.parting.pop(socket.sid, None)  # an upgrade has told the client
        self.websockets.discard(websocket)
        self._less()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something that `shutdown` waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("A task of the Socket.IO server failed", exc_info=task.exception())
        self._less()

    def _less(self) -> None:
        if self._quiet is not None and not self._quiet.done() and not (self.websockets or self.tasks or self.parting):
            self._quiet.set_result(None)

    async def shutdown(self, deadline: float) -> None:
        """Close every socket with `Close.SHUTDOWN` and let `disconnect` handlers run, for `deadline` seconds at most.

        From now on handshakes are answered 503. Connections that are stuck at the deadline are cut.
        """
        self.gate.closing = True
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline
        for socket in list(self.sockets.values()):
            socket.close(Close.SHUTDOWN, Reason.SERVER_DISCONNECT)
        while self.websockets or self.tasks or self.parting:
            left = until - loop.time()
            if left <= 0:
                break
            self._quiet = loop.create_future()
            await asyncio.wait([self._quiet], timeout=left)
        for websocket in list(self.websockets):
            websocket.abort()
        for task in list(self.tasks):
            task.cancel()
        self._stop_timers()
        self.parting.clear()
        if self.tasks:
            await asyncio.wait(list(self.tasks), timeout=1)

    def reopen(self) -> None:
        """Begin anew, with no sockets."""
        self.gate.closing = False
        self._quiet = None
        self._stop_timers()
        self.sockets.clear()
        self.parting.clear()
        self.websockets.clear()
        self.tasks.clear()

    def _stop_timers(self) -> None:
        for deadlines in (*self._deadlines, self.upgrading, self.partings):
            deadlines.clear()

    # Deadlines.

    def _ping(self, socket: EngineIOSocket) -> None:
        socket.alive = False
        self.pongs.start(socket)
        socket.send(PING)

    def _pong_late(self, socket: EngineIOSocket) -> None:
        # A pong may wait unread behind messages: when something came since the ping, or while its socket
        # is not being read for its handlers' sake, the client is not dead. One that does not poll is.
        held_up = socket.overfull and (socket.outbox is None or socket.outbox.reader is None)
        if socket.alive or held_up:
            socket.alive = False
            self.pongs.start(socket)
            return
        socket.close(Close.TIMEOUT, Reason.PING_TIMEOUT)

    def _never_connected(self, socket: EngineIOSocket) -> None:
        socket.close(Close.TIMEOUT, Reason.TRANSPORT_CLOSE)

    def _never_upgraded(self, socket: EngineIOSocket) -> None:
        if socket.probe is not None:
            socket.probe.close(1000)
