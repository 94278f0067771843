"""How much each parser takes: its limit is taken, one more is refused, and refusing costs no more than looking."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.domain.limits import PRECHECK_FACTOR
from pychat.domain.names import Names
from pychat.domain.texts import accept_text, emoji_of
from pychat.net.websocket.protocol import MAX_FRAGMENTS, WebSocketProtocol
from pychat.room.tokens import Tokens
from pychat.transports.event_stream import decode_offset
from pychat.transports.irc.line import LINE_BYTES, TAG_BYTES, BadLine, Line, LineBuffer
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.handshake_router import MAX_FIELDS, MAX_HEAD_BYTES, HandshakeRouter
from pychat.transports.socketio.packet import MAX_ATTACHMENTS, Packet
from tests.parsers.test_steps import frame

_HEAD = (
    b"GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def takes(parse: Callable[[], object]) -> bool:
    """Whether a parser takes this."""
    try:
        parse()
    except (BadPacket, BadLine, Refused, ValueError):
        return False
    return True


def _opens(head: bytes) -> bool:
    """Whether a head is taken for an opening handshake."""
    opened: list[object] = []
    transport = SimpleNamespace(is_closing=lambda: False, set_protocol=lambda _: None, get_extra_info=lambda _: None)
    sink: Any = SimpleNamespace(connection_made=lambda _: None, data_received=lambda _: None)

    def open_socket(request: Any) -> bool:
        opened.append(request)
        request.websocket = sink
        return True

    server: Any = SimpleNamespace(eio=SimpleNamespace(open_socket=open_socket))
    front = HandshakeRouter(server, lambda: sink)
    front.connection_made(transport)  # type: ignore[arg-type]
    front.data_received(head)
    return bool(opened)


def _reads(data: bytes, most: int) -> bool:
    """Whether frames are read to their end."""
    reader = WebSocketProtocol(most)
    for _ in reader.feed(data):
        pass
    while reader.pending:
        for _ in reader.feed():
            pass
    return reader.failed is None


def _lines(size: int) -> bool:
    """Whether a line that comes in two pieces is handed on."""
    buffer = LineBuffer()
    data = b"x" * size + b"\r\n"
    found = [*buffer.feed(data[:1000]), *buffer.feed(data[1000:])]
    assert len(found) == 1
    return found[0] is not None


def _attach(size: int) -> object:
    text = Packet('51-["a",{"_placeholder":true,"num":0}]')
    text.attach(b"x" * (size + 1024 - text.size), 1_000)
    return text.decode()


def _token(size: int) -> bool:
    tokens = Tokens(b"secret")
    return tokens.read(tokens.issue("m" * (size - len(tokens.issue(""))))) is not None


BUDGETS: dict[str, tuple[int, Callable[[int], bool]]] = {
    "bytes of a head": (
        MAX_HEAD_BYTES,
        lambda size: _opens(_HEAD + b"x: " + b"y" * (size - len(_HEAD) - 7) + b"\r\n\r\n"),
    ),
    "fields of a head": (MAX_FIELDS, lambda count: _opens(_HEAD + b"x: y\r\n" * (count - 5) + b"\r\n")),
    "bytes of a message in one frame": (5_000, lambda size: _reads(frame(0x82, b"x" * size), 5_000)),
    "bytes of a message in fragments": (
        5_000,
        lambda size: _reads(frame(0x02, b"x" * 3_000) + frame(0x80, b"x" * (size - 3_000)), 5_000),
    ),
    "fragments of a message": (
        MAX_FRAGMENTS,
        lambda count: _reads(frame(0x02, b"x") + frame(0x00, b"x") * (count - 2) + frame(0x80, b"x"), 5_000),
    ),
    "characters of a namespace": (255, lambda size: takes(lambda: Packet("0/" + "a" * (size - 1)))),
    "characters of a namespace and its query": (
        1024,
        lambda size: takes(lambda: Packet("0/a?" + "x" * (size - 3) + ",{}")),
    ),
    "digits of an acknowledgement": (15, lambda size: takes(lambda: Packet("3" + "1" * size + "[]"))),
    "attachments": (
        MAX_ATTACHMENTS,
        lambda count: takes(lambda: Packet(f'5{count}-["a"]')),
    ),
    "bytes of a message with its attachments": (
        1_000,
        lambda size: takes(lambda: _attach(size)),
    ),
    "digits of a number": (100, lambda size: takes(lambda: strictjson.loads("1" * size))),
    "bytes of a line of IRC": (LINE_BYTES - 2, lambda size: takes(lambda: Line.parse(b"PING " + b"x" * (size - 5)))),
    "bytes of the tags of a line": (
        TAG_BYTES - 1,
        lambda size: takes(lambda: Line.parse(b"@" + b"a" * (size - 1) + b" PING")),
    ),
    "bytes of a line that arrives": (TAG_BYTES + LINE_BYTES, _lines),
    "characters of a nickname": (32, lambda size: takes(lambda: Names().accept("a" * size))),
    "characters of a text": (2_000, lambda size: takes(lambda: accept_text("a" * size, 2_000))),
    "characters of a text that is looked at": (
        PRECHECK_FACTOR * 10 + PRECHECK_FACTOR,
        lambda size: takes(lambda: accept_text("a" + " " * (size - 1), 10)),
    ),
    "code points of an emoji": (16, lambda size: emoji_of("\U0001f600" + "\ufe0f" * (size - 1)) is not None),
    "characters of a token": (512, _token),
    "characters of an offset": (100, lambda size: decode_offset("e" * size + ":1") is not None),
    "digits of an offset": (18, lambda size: decode_offset("e:" + "1" * size) is not None),
}  # fmt: skip


@pytest.mark.parametrize("name", BUDGETS)
def test_budget(name):
    """One below the limit and the limit are taken; one above is refused."""
    limit, takes = BUDGETS[name]
    assert [True, True, False] == [takes(limit - 1), takes(limit), takes(limit + 1)]
