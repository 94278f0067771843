"""One HTTP connection of `pychat serve`: aiohttp's, with limits on unfinished requests.

aiohttp limits each line of a head, and takes 128 of them; it waits an hour for half a head. Here the whole head has a
limit in bytes and one in seconds, and requests are taken one at a time. What is overridden is in part private to
aiohttp; `tests/embed/test_connection.py` fails where that changes.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
from typing import Any, cast

from aiohttp import StreamReader, web

from pychat.domain.log_limit import RateLimitedLogger
from pychat.net.http.raw import final_response
from pychat.transports.socketio import Connections
from pychat.transports.socketio.handshake_router import MAX_FIELDS, MAX_HEAD_BYTES

__all__ = ["HttpConnection"]

_log = RateLimitedLogger(logging.getLogger("pychat.http"), time.monotonic)
_LINGERING_SECONDS = 2.0  # for the unread rest of a body
_MAX_BODY_BYTES = 1 << 20
_MAX_LINE_ENDS = 4_096  # in a body in chunks: two for each chunk, and those of its content
_EMPTY_LINE = b"\r\n\r\n"
_TOO_LARGE = final_response(
    431, f"The head of a request is {MAX_HEAD_BYTES:,} bytes at the most. Send fewer or shorter headers."
)


class HttpConnection(web.RequestHandler):
    """Reads heads of `MAX_HEAD_BYTES` at the most, in the time that `connections` gives, and no head before an answer.

    A larger head is answered 431. A client that sends its next request before the answer (pipelining) is answered the
    first and closed; RFC 9112, section 9.3.2, has clients prepared for that. Bodies are not decompressed: a kilobyte
    could hold a megabyte. Of a body in chunks no more than `max_body_bytes` are looked at, the sizes and extensions of
    the chunks included; the rest is dropped.
    """

    __slots__ = (
        "_answering",
        "_body_bytes",
        "_chunked",
        "_connections",
        "_counted_for",
        "_head_bytes",
        "_head_end",
        "_line_ends",
        "_max_body_bytes",
        "_payload",
        "_wire",
    )

    def __init__(self, server: web.Server, connections: Connections, *, max_body_bytes: int = _MAX_BODY_BYTES) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]  # as web.AppRunner hands it on
            lingering_time=_LINGERING_SECONDS,
            max_line_size=MAX_HEAD_BYTES,
            max_field_size=MAX_HEAD_BYTES,
            max_headers=MAX_FIELDS,
            auto_decompress=False,
        )
        self._connections = connections
        self._counted_for = ""
        self._wire: asyncio.Transport
        self._head_bytes = 0  # of the head that is being read
        self._head_end = b""  # its last three bytes
        self._payload: StreamReader | None = None  # the body of the newest request
        self._max_body_bytes = max_body_bytes
        self._chunked = False  # that body
        self._body_bytes = 0  # that have come of it, if it is in chunks, and
        self._line_ends = 0  # in it
        self._answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over a connection that was opened and counted."""
        self._wire = cast("asyncio.Transport", transport)
        self._counted_for = self._connections.address(self._wire)
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection has gone."""
        self._connections.closed(self._wire, self._counted_for)
        super().connection_lost(exc)
        self._payload = None  # it knows this connection

    def data_received(self, data: bytes) -> None:
        """Bytes have come: of a head, of a body, or of a WebSocket."""
        if not data:  # aiohttp asks to go on with what it has
            self._feed(data)
        start = 0
        while start < len(data):
            if self._upgraded:
                self._feed(data[start:])
                return
            if not (self._payload is None or self._payload.is_eof()):
                rest = data[start:]
                if self._takes(rest, self._payload):
                    self._feed(rest)
                return
            if self._answering:
                self.close()  # when the answer is out
                return
            start = self._feed_head(data, start)

    def _feed(self, data: bytes) -> None:
        before = len(self._messages)
        super().data_received(data)
        if len(self._messages) > before and self._payload is not None and not self._upgraded:
            if self._payload.is_eof():
                # A head behind a body, in the same piece: nobody has looked at its size.
                self._wire.abort()
            else:
                self._payload.set_exception(web.RequestPayloadError("The body is malformed"))

    def _takes(self, data: bytes, payload: StreamReader) -> bool:
        """Whether more of a body is looked at. A chunk of one byte costs as much as a large one."""
        if not self._chunked:
            return True  # of a known length: the reader has refused a body that is too long
        self._body_bytes += len(data)
        self._line_ends += data.count(b"\n")
        if self._body_bytes <= self._max_body_bytes and self._line_ends <= _MAX_LINE_ENDS:
            return True
        if payload.exception() is None:
            payload.set_exception(web.RequestPayloadError("The body has too many chunks, or too long ones"))
        return False

    def _feed_head(self, data: bytes, start: int) -> int:
        """Read a head, or a part of it, from `start` on; where it ends."""
        if not self._head_bytes:
            self._connections.head_begins(self._wire)
        end = _end_of_head(self._head_end, data, start)
        stop = len(data) if end is None else end
        self._head_bytes += stop - start
        if self._head_bytes > MAX_HEAD_BYTES - (end is None):
            self._refuse_head()
            return len(data)
        self._head_end = (self._head_end + data[max(start, stop - 3) : stop])[-3:]
        before = len(self._messages)
        super().data_received(data[start:stop])
        if len(self._messages) > before:
            message, self._payload = self._messages[-1]
            self._chunked = bool(getattr(message, "chunked", False))
            self._body_bytes = self._line_ends = 0
            self._head_bytes, self._head_end = 0, b""
            self._answering = True
            self._connections.head_ends(self._wire)
        return stop

    def _refuse_head(self) -> None:
        _log.info("%s sent a request with a head of more than %s bytes", self._counted_for or "A proxy", MAX_HEAD_BYTES)
        self._wire.write(_TOO_LARGE)
        self.force_close()

    def log_access(self, request: web.BaseRequest, response: web.StreamResponse, time: float | None) -> None:
        """A request has been answered (aiohttp calls this whether or not it is logged)."""
        self._answering = False
        if self._upgraded or "upgrade" in request.headers or request.method == "CONNECT":
            self.close()  # accepted or not: what came behind it is no request
        elif self.transport is not None:
            self._connections.answered(self._wire)

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Answer what failed: what the visitor did wrong in one line of the log, our own faults with a traceback."""
        gone = self.transport is None  # reading its body raised an error
        if status >= 500 and not gone and not isinstance(exc, web.RequestPayloadError):
            return super().handle_error(request, status, exc, message)
        _log.info(
            "%s sent a request that is malformed or breaks off: %s",
            self._counted_for or "A proxy",
            _without_content(message or str(exc)),
        )
        if exc is not None:
            exc.__traceback__ = None  # its frames know the connection, which knows the error
        if request.writer.output_size > 0:
            raise ConnectionError("A part of the answer is sent already")
        response = web.Response(status=400, text="This is not a request that HTTP/1.1 allows (RFC 9112).\n")
        response.force_close()
        return response

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ANN401 -- aiohttp's
        """Log a failure of the server; a body that its sender broke off is not one."""
        if not isinstance(sys.exception(), web.RequestPayloadError):
            super().log_exception(*args, **kw)


def _end_of_head(before: bytes, data: bytes, start: int) -> int | None:
    """Where the first empty line ends in `data`, from `start` on; `before` is the three bytes that came before."""
    found = (before + data[start : start + 3]).find(_EMPTY_LINE)
    if found >= 0:
        return start + found + 4 - len(before)
    found = data.find(_EMPTY_LINE, start)
    return None if found < 0 else found + 4


def _without_content(text: str) -> str:
    """What a parser says is wrong, up to the first quote or colon: it quotes the request, which can hold tokens."""
    return ascii(re.split(r"['\":\n]", text.strip(), maxsplit=1)[0].strip()[:200])
