"""Counts the connections of `pychat serve`, in total and by address, and limits how long they may be idle."""

from __future__ import annotations

import asyncio
import logging
import time

from pychat.domain.ratelog import RateLimitedLogger
from pychat.net.addresses import AddressLimiter
from pychat.net.deadlines import Deadlines
from pychat.net.http.gate import Gate, retry_headers
from pychat.net.http.proxies import Proxies
from pychat.net.http.raw import final_response

__all__ = ["Connections"]

_log = RateLimitedLogger(logging.getLogger("pychat.connections"), time.monotonic, lines=1)


class Connections:
    """Admits connections, and closes those that stay silent.

    A request's head has `head_seconds` to arrive: from the start of the connection, later from its first byte. A
    connection that waits for its next request is closed after `idle_seconds`. Where there are as many connections as
    there may be, a newcomer takes the place of one that is idle, or else of one that has sent no whole head; if all
    are in use, the newcomer is answered 503. One address may have `limits.max_per_address`; trusted proxies, which
    speak for many, as many as they like.
    """

    def __init__(
        self, limits: AddressLimiter, proxies: Proxies, *, head_seconds: float = 10.0, idle_seconds: float = 75.0
    ) -> None:
        self.limits = limits
        self._gate = Gate(limits)
        self._proxies = proxies
        self._heads = Deadlines[asyncio.Transport](head_seconds, _abort)
        self._idle = Deadlines[asyncio.Transport](idle_seconds, _abort)

    def address(self, transport: asyncio.Transport) -> str:
        """The address that a connection is counted for; empty for a trusted proxy and for Unix sockets."""
        peer = transport.get_extra_info("peername")
        address: str = peer[0] if isinstance(peer, tuple) else ""
        return "" if self._proxies.trusts(address) else address

    def opened(self, transport: asyncio.Transport, address: str) -> bool:
        """A connection has been accepted; false if it was one too many, and has been answered."""
        limits = self.limits
        refused = self._gate.refusal(address)
        if refused is None or (refused.code == "full" and (self._idle.expire_first() or self._heads.expire_first())):
            limits.add(address)
            self._heads.start(transport)
            return True
        if refused.code == "address_full":
            _log.warning(
                "%s has %s connections, as many as one address may have: more are refused. If it is a proxy, name it: "
                "--trusted-proxy ADDRESS.",
                address,
                limits.max_per_address,
            )
        else:
            _log.warning(
                "%s connections are open, as many as this process may have: more are refused. Each is an open file; "
                "ulimit -n says how many there may be.",
                limits.max_total,
            )
        transport.write(final_response(refused.kind.status, refused.text, retry_headers(refused)))
        transport.close()
        return False

    def head_begins(self, transport: asyncio.Transport) -> None:
        """The first bytes of a request have come."""
        self._idle.stop(transport)
        if transport not in self._heads:
            self._heads.start(transport)

    def head_ends(self, transport: asyncio.Transport) -> None:
        """The head of a request is there."""
        self._heads.stop(transport)

    def answered(self, transport: asyncio.Transport) -> None:
        """A request has been answered, and the next may come."""
        self._idle.start(transport)

    def closed(self, transport: asyncio.Transport, address: str) -> None:
        """A connection that was `opened` is gone."""
        self._heads.stop(transport)
        self._idle.stop(transport)
        self.limits.release(address)


def _abort(transport: asyncio.Transport) -> None:
    transport.abort()
