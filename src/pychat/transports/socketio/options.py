"""The settings of the Socket.IO server, with their units and defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pychat.domain.errors import UsageError
from pychat.net.websocket.connection import DEFAULT_BUFFER_BYTES

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The settings of a server: those of python-engineio by its names, and more. Raises `UsageError`."""

    #: Seconds between two pings. Of a pair, the second is added to the first.
    ping_interval: float | tuple[float, float] = 25
    #: Seconds in which a client has to answer a ping.
    ping_timeout: float = 20
    #: Bytes of the body of one POST.
    max_http_buffer_size: int = 1_000_000
    #: Whether a client that polls may change to WebSocket.
    allow_upgrades: bool = True
    #: Whether answers to polls are compressed for clients that take that.
    http_compression: bool = True
    #: Bytes; smaller answers to polls are not compressed.
    compression_threshold: int = 1024
    #: The name of a cookie for the session id of a client that polls, or a dict with `name` and attributes.
    cookie: str | Mapping[str, object] | None = None
    #: Whether pages of other origins may send cookies along.
    cors_credentials: bool = True
    #: Of `"polling"` and `"websocket"`, the transports that clients may use.
    transports: Sequence[str] = ("polling", "websocket")
    #: Seconds for which a client may be connected without being CONNECTed to any namespace.
    connect_timeout: float = 10.0
    #: Seconds for the body of a POST; `None`: as many as for a ping and its answer.
    body_timeout: float | None = None
    #: Seconds that an upgrade from polling to WebSocket may take; past them the session stays on polling.
    upgrade_timeout: float = 10.0
    #: Sessions at once; past them a handshake is answered 503 with Retry-After.
    max_connections: int = 100_000
    #: Sessions at once that are not CONNECTed yet; past them a handshake is answered 429 with Retry-After.
    max_pending: int = 2_000
    #: Sessions of one address at once (IPv6: of one /64); past them a handshake is answered 429 with Retry-After.
    max_connections_per_address: int = 5_000
    #: Sessions of one address at once that are not CONNECTed yet; past them 429 as well.
    max_pending_per_address: int = 500
    #: Bytes that may wait for one client beside the largest frame; past them it is closed with `Close.SLOW`.
    max_buffer_bytes: int = DEFAULT_BUFFER_BYTES
    #: Bytes of one client's events that may wait for its handlers; past them its socket is not read.
    max_queue_bytes: int = 64 * 1024
    #: Bytes of one message to the server, with its attachments; `None`: as many as a body, `max_http_buffer_size`.
    max_message_bytes: int | None = None
    #: Bytes of the JSON that a client sends with a CONNECT (`auth`); past them it is answered CONNECT_ERROR.
    max_auth_bytes: int = 4_096
    #: Packets in the body of one POST; past them it is answered 413, and the session is closed.
    max_payload_packets: int = 4_096
    #: Seconds in which all attachments of a packet must have come; past them the connection is closed.
    attachment_timeout: float = 30.0
    #: Origins of other hosts' pages that may connect, such as `"https://example.com"`; `"*"` for all.
    allowed_origins: Iterable[str] | str = ()
    #: Host names that are answered to, beside addresses, `localhost` and this machine's own; `"*"` for any.
    allowed_hosts: Iterable[str] | str = "*"
    #: Addresses and networks of proxies whose X-Forwarded-For and X-Forwarded-Host are believed.
    trusted_proxies: Iterable[str] | str = ()
    #: What to do with an event that holds half a character (`"\\ud800"`): close the connection, or hand it on to
    #: handlers that refuse it themselves.
    lone_surrogates: Literal["close", "pass"] = "close"

    def __post_init__(self) -> None:
        wanted = [self.transports] if isinstance(self.transports, str) else self.transports
        known = tuple(name for name in wanted if name in {"polling", "websocket"})
        if not known:
            raise UsageError('transports: name "polling", "websocket" or both')
        object.__setattr__(self, "transports", known)
        for name in ("ping_seconds", "ping_timeout", "connect_timeout", "upgrade_timeout", "attachment_timeout"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is a number of seconds above 0")
        if self.body_timeout is not None and not self.body_timeout > 0:
            raise UsageError("body_timeout is a number of seconds above 0")
        for name in (
            "max_http_buffer_size",
            "max_connections",
            "max_pending",
            "max_connections_per_address",
            "max_pending_per_address",
            "max_buffer_bytes",
            "max_queue_bytes",
            "max_message_bytes",
            "max_auth_bytes",
            "max_payload_packets",
        ):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"{name} is a whole number above 0")
        if self.lone_surrogates not in {"close", "pass"}:
            raise UsageError('lone_surrogates is "close" or "pass"')
        if self.message_bytes > self.max_http_buffer_size:
            raise UsageError("max_message_bytes is at most max_http_buffer_size: a body holds at least one message")

    @property
    def ping_seconds(self) -> float:
        """Seconds between two pings."""
        return sum(self.ping_interval) if isinstance(self.ping_interval, tuple) else self.ping_interval

    @property
    def body_seconds(self) -> float:
        """Seconds for the body of a POST."""
        return self.ping_seconds + self.ping_timeout if self.body_timeout is None else self.body_timeout

    @property
    def message_bytes(self) -> int:
        """Bytes of one message to the server; a body of several has `max_http_buffer_size`."""
        return self.max_message_bytes or self.max_http_buffer_size
