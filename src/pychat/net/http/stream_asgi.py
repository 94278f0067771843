"""A streaming response over ASGI: a byte-bounded queue, and two tasks that write and that wait for the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from pychat.net.http.stream import Chunk
from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.websocket.asgi import Receive, Send, host_failed
from pychat.net.websocket.connection import CLOSE_SECONDS, DEFAULT_BUFFER_BYTES, WebSocketClosed

__all__ = ["AsgiStream"]


class AsgiStream:
    """One response of an ASGI server.

    ASGI's `send` must be awaited, and it waits while the client does not read. `send` here puts the chunk into a
    queue that a single task drains, all that waits with one call. The app must await `finish` before it returns.
    """

    __slots__ = (
        "__weakref__",
        "_awake",
        "_budget",
        "_bytes",
        "_ended",
        "_leaving",
        "_queue",
        "_receive",
        "_send",
        "_writer",
        "on_slow",
        "remote",
    )

    def __init__(self, receive: Receive, send: Send, *, remote: str, max_buffer_bytes: int) -> None:
        self.remote = remote
        self.on_slow: Callable[[], None] | None = None
        self._receive = receive
        self._send = send
        self._budget = SendBudget(max_buffer_bytes)
        self._queue: list[bytes] = []
        self._bytes = 0  # in the queue, and on their way
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        self._writer = loop.create_task(self._write())
        self._leaving = loop.create_task(self._leave())

    @classmethod
    async def open(
        cls,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str],
        first: Chunk,
        *,
        remote: str = "",
        max_buffer_bytes: int = DEFAULT_BUFFER_BYTES,
    ) -> AsgiStream:
        """Begin the response with `headers` and the `first` chunk for the client at the address `remote`.

        Raises `WebSocketClosed` if the client has gone.
        """
        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
        try:
            await send({"type": "http.response.start", "status": 200, "headers": raw})
            await send({"type": "http.response.body", "body": first.body, "more_body": True})
        except OSError:
            raise WebSocketClosed from None
        return cls(receive, send, remote=remote, max_buffer_bytes=max_buffer_bytes)

    def send(self, chunk: Chunk) -> None:
        """Send a chunk; for a receiver that is too far behind, call `on_slow` instead."""
        if self._ended.is_set():
            return
        if self._budget.admits(self._bytes, len(chunk.body), chunk, self):
            self._put(chunk)
        else:
            self.fall_behind()

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client."""
        return self._bytes

    def fall_behind(self) -> None:
        """Call `on_slow`."""
        if self.on_slow is not None:
            self.on_slow()

    def end(self, last: Chunk) -> None:
        """Queue `last` behind what waits."""
        if not self._ended.is_set():
            self._put(last)
            self._ended.set()

    async def gone(self) -> None:
        """Wait until the host says that the client has gone, or the body has ended."""
        await self._ended.wait()

    def drop(self) -> None:
        """Call `on_slow`, and drop what waits; the host cuts the connection when the app returns."""
        self.fall_behind()
        self._queue.clear()
        self._ended.set()

    async def finish(self) -> None:
        """Wait for what waits to be sent, if somebody still takes it; stop if that is not done in time."""
        try:
            if self._ended.is_set() and not self._leaving.done():
                await asyncio.wait((self._leaving, self._writer), timeout=CLOSE_SECONDS)
        finally:
            self._leaving.cancel()
            self._writer.cancel()
            # The tasks are let go: the exceptions that end them hold their frames, and those hold the stream.
            del self._leaving, self._writer

    def _put(self, chunk: Chunk) -> None:
        self._queue.append(chunk.body)
        self._bytes += len(chunk.body)
        self._awake.set()

    async def _write(self) -> None:
        try:
            while self._queue or not self._ended.is_set():
                await self._awake.wait()
                self._awake.clear()
                body = b"".join(self._queue)
                self._queue.clear()
                await self._send({"type": "http.response.body", "body": body, "more_body": True})
                self._bytes -= len(body)
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
        except Exception as error:
            host_failed(error)
        self._ended.set()

    async def _leave(self) -> None:
        try:
            while (await self._receive())["type"] != "http.disconnect":
                pass
        except Exception as error:
            host_failed(error)
        self._ended.set()
