"""The admission gate: one refusal has one status, one text and one retry time on every wire."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from pychat.domain.errors import REFUSALS, Refused
from pychat.net.addresses import AddressLimiter
from pychat.net.http.connections import Connections
from pychat.net.http.gate import Gate
from pychat.net.http.proxies import Proxies
from tests.api.conftest import mounted

__all__ = ["mounted"]

_UPGRADE = {
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}
_CODES = ("shutdown", "full", "address_full", "connecting_full")


def refuse_with(gate: Gate, code: str) -> None:
    """Let `gate` refuse everybody with `code`."""
    gate.closing = code == "shutdown"
    if code == "full":
        gate.limits.max_total = 0
    elif code == "address_full":
        gate.limits.max_per_address = 0
    elif code == "connecting_full":
        gate.connecting = AddressLimiter(1, 1)
        gate.connecting.add("127.0.0.1")


@pytest.mark.parametrize("code", _CODES)
async def test_every_wire_refuses_alike(mounted, code):
    """Socket.IO, the plain WebSocket and event streams take status, text and Retry-After from the same table."""
    site = await mounted()
    for gate in (site.mount.socketio.server.eio.registry.gate, site.mount.websocket.gate, site.mount.sse.gate):
        refuse_with(gate, code)
    kind = REFUSALS[code]
    expected = (kind.status, str(round(Refused.standard(code).retry_seconds)))
    for path, headers in (
        ("/socket.io/?EIO=4&transport=polling", {}),
        ("/socket.io/?EIO=4&transport=websocket", _UPGRADE),
        ("/ws", _UPGRADE),
    ):
        async with site.http.get(f"{site.url}{path}", headers=headers) as response:
            assert (*expected, True) == (
                response.status, response.headers["Retry-After"], kind.meaning in await response.text(),
            )  # fmt: skip
    # A browser never opens a stream again that was answered with a status other than 200.
    async with site.http.get(f"{site.url}/api/rooms/lobby/events") as response:
        text = await response.text()
        assert response.status == 200
        assert all(part in text for part in (f'"code":"{code}"', kind.meaning, f'"code":{kind.close.code}'))
        retry = re.search(r"\nretry: (\d+)\n", text)
        assert retry
        assert 0 <= int(retry[1]) - 1000 * Refused.standard(code).retry_seconds <= 2000
    if code == "shutdown":
        refused = await site.post({"text": "hi", "author": "Ada"})
        assert (*expected, code) == (refused.status, refused.headers["Retry-After"], refused.code)
    else:  # a single request holds no connection of a wire
        assert (await site.post({"text": "hi", "author": "Ada"})).status == 201


@pytest.mark.parametrize("code", ["full", "address_full"])
def test_a_connection_is_refused_in_the_same_words(code):
    """A server that owns its port refuses connections with the same status, text and Retry-After."""

    class Transport(asyncio.Transport):
        written = b""
        closed = False

        def write(self, data: Any) -> None:
            self.written += data

        def close(self) -> None:
            self.closed = True

    limits = AddressLimiter(1, 1)
    connections = Connections(limits, Proxies())
    limits.add("192.0.2.1")
    transport = Transport()
    assert not connections.opened(transport, "192.0.2.2" if code == "full" else "192.0.2.1")
    kind = REFUSALS[code]
    head, _, body = transport.written.decode().partition("\r\n\r\n")
    assert transport.closed
    assert head.startswith(f"HTTP/1.1 {kind.status} ")
    assert f"Retry-After: {round(Refused.standard(code).retry_seconds)}" in head.split("\r\n")
    assert f"Content-Length: {len(body)}" in head.split("\r\n")
    assert body == f"{kind.meaning}\n"


def test_who_leaves_makes_room():
    """A connection that has left is counted no more; a refused one never was."""
    gate = Gate(AddressLimiter(2, 1))
    assert gate.enter("192.0.2.1") is None
    refused = gate.enter("192.0.2.1")
    assert refused is not None
    assert refused.code == "address_full"
    assert len(gate.limits) == 1
    gate.leave("192.0.2.1")
    assert gate.enter("192.0.2.1") is None
