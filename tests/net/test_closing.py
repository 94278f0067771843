"""The end of a WebSocket over a plain socket: the close frame arrives, whatever the client still sends."""

from __future__ import annotations

import asyncio

from pychat.net.websocket.tcp import TcpWebSocket

_FRAME = b"\x82\x80\0\0\0\0"  # masked, binary, empty
_CLOSE = b"\x88\x80\0\0\0\0"


class _Transport(asyncio.Transport):
    """A socket that notes what is done to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Nothing is read here."""

    def resume_reading(self) -> None:
        """Nothing is read here."""


class _Refuses:
    """Closes the connection at the first message."""

    def __init__(self, websocket: TcpWebSocket) -> None:
        self._websocket = websocket

    def message_received(self, data: str | bytes) -> None:
        """Close."""
        self._websocket.close(4004, "no")

    def ended(self, code: int | None) -> None:
        """It is over."""


async def test_who_floods_a_closing_connection_has_time_to_read_why(monkeypatch):
    """After the close frame, a flood breaks the limit of cheap frames: the connection is cut later, not reset at once."""
    monkeypatch.setattr("pychat.net.websocket.writer.CLOSE_SECONDS", 0.01)
    transport = _Transport()
    websocket = TcpWebSocket(transport, "192.0.2.1", max_message_bytes=100, max_buffer_bytes=1000)
    websocket.reader = _Refuses(websocket)
    for _ in range(1_000):
        websocket.data_received(_FRAME * 10)
    assert (False, b"\x88\x04\x0f\xa4no") == (transport.is_closing(), transport.written)
    websocket.data_received(_CLOSE)
    while not transport.is_closing():
        await asyncio.sleep(0.001)


async def test_the_answer_to_a_close_frame_ends_the_connection_at_once():
    """A client that answers the close frame is not kept waiting."""
    transport = _Transport()
    websocket = TcpWebSocket(transport, "192.0.2.1", max_message_bytes=100, max_buffer_bytes=1000)
    websocket.reader = _Refuses(websocket)
    websocket.data_received(_FRAME)
    assert not transport.is_closing()
    websocket.data_received(_CLOSE)
    assert transport.is_closing()
    websocket.connection_lost(None)
