"""An HTTP request and its answers, the same for every host."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pychat.net.http.request import Request
from pychat.net.http.stream import Chunk, ResponseStream

__all__ = ["Body", "IncomingRequest", "Response", "StreamingResponse"]

_WORTH_COMPRESSING = 256  # bytes
_COMPRESSIBLE = ("text/", "application/json", "application/manifest+json", "image/svg+xml")


@dataclass(frozen=True, slots=True)
class IncomingRequest:
    """A request to a mount, and how to read its body."""

    #: As the app's `authenticate` is given it.
    request: Request
    #: Below the mount; begins with a slash.
    path: str
    #: The requested host name; a trusted proxy may name it.
    host: str | None
    #: Reads the whole body, of at most so many bytes. Raises `BodyTooLarge`, `BodyMalformed`, `ConnectionError`.
    read: Callable[[int], Awaitable[bytes]]
    #: The names and values of the query, in order: `request.query` has only the last value of each name.
    pairs: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Response:
    """A response that the host sends whole."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class StreamingResponse:
    """A response that the host sends in pieces: status 200, `headers`, the `first` chunk, then what `serve` sends.

    `serve` returns when the response has ended.
    """

    headers: Mapping[str, str]
    first: Chunk
    serve: Callable[[ResponseStream], Awaitable[None]]


class Body:
    """Bytes that are served again and again: compressed once, with a validator (RFC 9110, section 8.8.3)."""

    __slots__ = ("_gzipped", "_headers", "_plain", "etag")

    def __init__(self, content: bytes, content_type: str, headers: Mapping[str, str]) -> None:
        self._plain = content
        self._gzipped: bytes | None = None
        if len(content) >= _WORTH_COMPRESSING and content_type.startswith(_COMPRESSIBLE):
            self._gzipped = gzip.compress(content, 9, mtime=0)
        self.etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        self._headers = {
            "Content-Type": content_type,
            "ETag": self.etag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
            **headers,
        }

    def respond(self, request_headers: Mapping[str, str], extra: Mapping[str, str] | None = None) -> Response:
        """The answer to a GET with these headers (names in lower case): 200, or 304 if the client has it."""
        headers = {**self._headers, **(extra or {})}
        if self.etag in (tag.strip() for tag in request_headers.get("if-none-match", "").split(",")):
            return Response(304, headers)
        if self._gzipped is not None and _accepts_gzip(request_headers.get("accept-encoding", "")):
            return Response(200, {**headers, "Content-Encoding": "gzip"}, self._gzipped)
        return Response(200, headers, self._plain)


def _accepts_gzip(header: str) -> bool:
    for part in header.split(","):
        coding, _, parameters = part.partition(";")
        if coding.strip().lower() in ("gzip", "*"):
            return parameters.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
