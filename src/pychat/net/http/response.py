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

    __slots__ = ("_compressed", "_headers", "content", "etag")

    def __init__(
        self, content: bytes, content_type: str, headers: Mapping[str, str], brotli: bytes | None = None
    ) -> None:
        """`brotli` is the content, compressed by whoever has the time for it."""
        self.content = content
        #: By the names of the codings, the best first.
        self._compressed: dict[str, bytes] = {}
        if brotli is not None:
            self._compressed["br"] = brotli
        if len(content) >= _WORTH_COMPRESSING and content_type.startswith(_COMPRESSIBLE):
            self._compressed["gzip"] = gzip.compress(content, 9, mtime=0)
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
        if self._compressed:
            accepted = _accepted(request_headers.get("accept-encoding", ""))
            for coding, content in self._compressed.items():
                if accepted.get(coding, accepted.get("*", False)):
                    return Response(200, {**headers, "Content-Encoding": coding}, content)
        return Response(200, headers, self.content)


def _accepted(header: str) -> dict[str, bool]:
    """Which codings a client names, and whether it accepts them (RFC 9110, section 12.5.3)."""
    found = {}
    for part in header.split(","):
        coding, _, parameters = part.partition(";")
        refused = parameters.replace(" ", "") in ("q=0", "q=0.0", "q=0.00", "q=0.000")
        found[coding.strip().lower()] = not refused
    return found
