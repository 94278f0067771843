"""A WebSocket over ASGI, whose host reads the frames: a byte-bounded queue, and one task that writes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from pychat.domain.errors import Close
from pychat.domain.log_limit import RateLimitedLogger
from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.websocket.connection import (
    CLOSE_SECONDS,
    DEFAULT_BUFFER_BYTES,
    DEFAULT_MESSAGE_BYTES,
    NO_CODE,
    WebSocketClosed,
)
from pychat.net.websocket.frames import Frame
from pychat.net.websocket.protocol import FRAMES_PER_TURN, State

__all__ = ["AsgiWebSocket", "Receive", "Scope", "Send", "host_failed"]

_log = RateLimitedLogger(logging.getLogger("pychat.transports"), time.monotonic)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def host_failed(error: Exception) -> bool:
    """Whether what the host raised is more than its word for a client that has gone; it is logged then.

    The specification has `OSError` for that. Some hosts raise `RuntimeError` where a message follows the end.
    """
    if isinstance(error, OSError):
        return False
    if isinstance(error, RuntimeError):
        _log.info("The ASGI host did not take what was sent: %r", error)
    else:
        _log.exception("The ASGI host, or a middleware, failed; the connection is closed", exc_info=error)
    return True


class AsgiWebSocket:
    """One WebSocket of an ASGI server (ASGI 3, the WebSocket specification).

    ASGI's `send` must be awaited, and it waits while the client does not read. `send` here puts the frame into a
    queue that a single task drains. The app must return when `receive` has raised: that is what makes
    the server drop the socket.
    """

    __slots__ = (
        "__weakref__",
        "_awake",
        "_budget",
        "_bytes",
        "_cut",
        "_interrupts",
        "_max_message",
        "_parting",
        "_queue",
        "_reader",
        "_receive",
        "_send",
        "_state",
        "_taken",
        "_writer",
        "on_slow",
        "protocol",
        "remote",
    )

    def __init__(
        self,
        receive: Receive,
        send: Send,
        *,
        remote: str,
        protocol: str | None,
        max_message_bytes: int,
        max_buffer_bytes: int,
    ) -> None:
        self.remote = remote
        self.protocol = protocol
        self.on_slow: Callable[[], None] | None = None
        self._receive = receive
        self._send = send
        self._max_message = max_message_bytes
        self._budget = SendBudget(max_buffer_bytes)
        self._queue: deque[Frame | bytes | tuple[int, str]] = deque()
        self._bytes = 0
        self._state = State.OPEN
        self._parting = False  # the writer hands the host the close frame
        self._interrupts = 0
        self._taken = 0  # messages since others had a turn of the event loop for sure
        self._cut: asyncio.TimerHandle | None = None
        self._reader: asyncio.Task[Any] | None = None
        self._awake: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(self._write())

    @classmethod
    async def accept(
        cls,
        scope: Scope,
        receive: Receive,
        send: Send,
        *,
        max_message_bytes: int = DEFAULT_MESSAGE_BYTES,
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
        protocols: Iterable[str] = (),
        heartbeat: float | None = None,
        remote: str | None = None,
        connected: bool = False,
    ) -> AsgiWebSocket:
        """Answer the upgrade request. `connected`: the `websocket.connect` event has been received already.

        `remote` replaces the address of the connection where proxies are trusted. `heartbeat` is the server's affair
        in ASGI (uvicorn: `ws_ping_interval`) and is not used. Raises `WebSocketClosed` when the client has gone.
        """
        del heartbeat
        if not connected and (await receive())["type"] != "websocket.connect":
            raise WebSocketClosed
        offered = scope.get("subprotocols") or ()
        wanted = set(protocols)
        protocol = next((name for name in offered if name in wanted), None)
        message: dict[str, Any] = {"type": "websocket.accept"}
        if protocol is not None:
            message["subprotocol"] = protocol
        try:
            await send(message)
        except OSError:
            raise WebSocketClosed from None
        if remote is None:
            remote = (scope.get("client") or ("",))[0] or ""
        return cls(
            receive,
            send,
            remote=remote,
            protocol=protocol,
            max_message_bytes=max_message_bytes,
            max_buffer_bytes=max_buffer_bytes,
        )

    @property
    def buffered(self) -> int:
        """Bytes that wait for the receiver, beyond what the server has taken (uvicorn: 64 KiB)."""
        return self._bytes

    def send(self, frame: Frame) -> None:
        """Send a frame; a receiver that is too far behind is closed with `Close.SLOW`."""
        self._put(frame, len(frame.raw))

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._put(data, len(data) + 10)

    def _put(self, item: Frame | bytes, size: int) -> None:
        if self._state is not State.OPEN:
            return
        if not self._budget.admits(self._bytes, size, item, self):
            self.fall_behind()
            return
        self._bytes += size
        self._queue.append(item)
        self._wake()

    def fall_behind(self) -> None:
        """Close the connection with `Close.SLOW`."""
        self.close(Close.SLOW.code, Close.SLOW.reason)
        if self.on_slow is not None:
            self.on_slow()

    def _wake(self) -> None:
        awake = self._awake
        if awake is not None and not awake.done():
            awake.set_result(None)

    async def _write(self) -> None:
        queue, send = self._queue, self._send
        loop = asyncio.get_running_loop()
        try:
            while True:
                while queue:
                    item = queue[0]
                    if isinstance(item, Frame):
                        for text in item.texts:
                            await send({"type": "websocket.send", "text": text})
                        self._bytes -= len(item.raw)
                    elif isinstance(item, bytes):
                        await send({"type": "websocket.send", "bytes": item})
                        self._bytes -= len(item) + 10
                    else:
                        # Granian holds a close back for as long as somebody waits for a message.
                        self._parting = True
                        self._interrupt()
                        await send({"type": "websocket.close", "code": item[0], "reason": item[1]})
                        return
                    queue.popleft()
                self._awake = loop.create_future()
                await self._awake
        except Exception as error:
            if host_failed(error):
                self.abort()  # what was not sent is missed; a new connection catches up

    async def receive(self) -> str | bytes:
        """Wait for the next message; raise `WebSocketClosed` when there will be none."""
        self._taken += 1
        if self._taken >= FRAMES_PER_TURN:
            # A host that has read many messages at once hands them out without a turn of the loop between.
            self._taken = 0
            await asyncio.sleep(0)
        while self._state is not State.CLOSED:
            message = await self._next()
            if message is None or message["type"] != "websocket.receive":
                code = None if message is None or self._state is not State.OPEN else message.get("code", NO_CODE)
                self._end()
                # 1006 stands for a connection that broke.
                raise WebSocketClosed(None if code == 1006 else code)
            if self._state is not State.OPEN:
                continue
            text = message.get("text")
            data: str | bytes = message.get("bytes") or b"" if text is None else text
            if self._too_large(data):
                self.close(Close.TOO_LARGE.code, Close.TOO_LARGE.reason)
                continue
            return data
        raise WebSocketClosed

    async def _next(self) -> MutableMapping[str, Any] | None:
        """The next event of the host; `None` once the connection is aborted."""
        self._reader = reader = asyncio.current_task()
        try:
            while self._state is not State.CLOSED:
                try:
                    if self._parting and self._writer is not None:
                        await asyncio.wait((self._writer,))
                    return await self._receive()
                except asyncio.CancelledError:
                    ours, self._interrupts = self._interrupts, 0
                    if reader is None or not ours or [reader.uncancel() for _ in range(ours)][-1]:
                        raise
            return None
        finally:
            self._reader = None

    def _interrupt(self) -> None:
        """Wake the task that waits for an event of the host."""
        if self._reader is not None:
            self._interrupts += 1
            self._reader.cancel()

    def _too_large(self, data: str | bytes) -> bool:
        limit = self._max_message
        if len(data) > limit:
            return True
        return isinstance(data, str) and len(data) * 4 > limit and len(data.encode()) > limit

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Send a close frame behind what waits; stop waiting for the peer if that is not done in time."""
        if self._state is not State.OPEN:
            return
        self._state = State.CLOSING
        self._queue.append((code, reason))
        self._wake()
        self._cut = asyncio.get_running_loop().call_later(CLOSE_SECONDS, self.abort)

    def drop(self) -> None:
        """Close the connection with `Close.SLOW`, and stop."""
        self.fall_behind()
        self.abort()

    def abort(self) -> None:
        """Stop at once. ASGI has no way to cut a socket: the server closes it when the app returns."""
        if self._state is not State.CLOSED:
            self._end()
            self._interrupt()

    def _end(self) -> None:
        self._state = State.CLOSED
        self._queue.clear()
        self._bytes = 0
        self._stop_writing()
        self.on_slow = None
        if self._cut is not None:
            self._cut.cancel()

    def _stop_writing(self) -> None:
        # The exception that ends the task refers to its frame, and that to this object: a circle without this line.
        if self._writer is not None:
            self._writer.cancel()
            self._writer = None
