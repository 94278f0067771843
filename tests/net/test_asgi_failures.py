"""What an ASGI host or a middleware raises while it sends: logged once, and the connection ends; never swallowed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from pychat.domain.log_limit import RateLimitedLogger
from pychat.net.http.stream import Chunk
from pychat.net.http.stream_asgi import AsgiStream
from pychat.net.websocket import asgi
from pychat.net.websocket.asgi import AsgiWebSocket
from pychat.net.websocket.connection import WebSocketClosed
from pychat.net.websocket.frames import Frame
from tests.clients import TIMEOUT


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was logged before."""
    monkeypatch.setattr(asgi, "_log", RateLimitedLogger(logging.getLogger("pychat.transports"), time.monotonic))


def _host(error: Exception) -> Callable[[Any], Any]:
    """`send` of a host that takes the first message, and fails at the next that carries something."""

    async def send(message: Any) -> None:
        if message["type"] in {"websocket.send", "http.response.body"} and message.get("body") != b"first":
            raise error

    return send


async def _silence() -> Any:
    """`receive` of a host whose client says nothing."""
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("error", "logged"),
    [(ConnectionResetError(), 0), (RuntimeError("after the end"), 1), (KeyError("a middleware's bug"), 1)],
    ids=["gone", "late", "bug"],
)
async def test_what_a_host_raises_is_logged_and_ends_the_connection(
    error: Exception, logged: int, caplog: pytest.LogCaptureFixture
) -> None:
    """`OSError` says that the client has gone. Anything else is logged; a visitor who hears nothing does not stay."""
    with caplog.at_level(logging.INFO):
        stream = await AsgiStream.open(_silence, _host(error), {}, Chunk(b"first"))
        stream.send(Chunk(b"second"))
        async with asyncio.timeout(TIMEOUT):
            await stream.gone()
        stream._leaving.cancel()
        assert len(caplog.records) == logged
        websocket = await AsgiWebSocket.accept({}, _silence, _host(error), connected=True)
        writer = websocket._writer
        assert writer is not None
        websocket.send(Frame("second"))
        if logged:
            async with asyncio.timeout(TIMEOUT):
                with pytest.raises(WebSocketClosed):
                    await websocket.receive()
        else:
            websocket.abort()  # the host says in its own time that the client has gone
    await asyncio.wait([writer])
    assert len(caplog.records) == 2 * logged
    assert all((record.exc_info is not None) == isinstance(error, KeyError) for record in caplog.records)


async def test_a_host_that_fails_each_time_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred connections that fail alike are a few lines."""
    for _ in range(100):
        stream = await AsgiStream.open(_silence, _host(KeyError("bug")), {}, Chunk(b"first"))
        stream.send(Chunk(b"second"))
        async with asyncio.timeout(TIMEOUT):
            await stream.gone()
        stream._leaving.cancel()
    assert len(caplog.records) <= 5
