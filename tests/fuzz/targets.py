"""What is fuzzed: each decoder of what strangers send, with what must be true of it for any bytes.

A target takes bytes. It fails with an exception that is not the decoder's refusal, with a result that breaks a promise, or,
if its modules count their steps (`tests.parsers.steps`), with more steps than are in proportion to the bytes.
"""

from __future__ import annotations

import contextlib
import ipaddress
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pychat.domain import strictjson
from pychat.domain.errors import Refused
from pychat.domain.request import Request
from pychat.net.http.request import joined_headers
from pychat.protocol import v1, v2
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.options import Options

__all__ = ["CORPUS", "Load", "Target", "seeds", "targets"]

#: Small inputs for each target, in a folder of its name: well-formed ones, and those that once failed.
CORPUS = Path(__file__).parent / "corpus"

Target = Callable[[bytes], object]
#: Loads one of our modules by its name: as it is, or a copy that counts its steps.
Load = Callable[[str], Any]

_MESSAGE = 4_096  # the longest message of the fuzzed connections, in bytes
_OPTIONS = Options(max_payload_packets=4_096, max_message_bytes=_MESSAGE, max_http_buffer_size=10**6)


def targets(load: Load) -> dict[str, Target]:
    """Every target, by name."""
    return {
        "frames": partial(_frames, load("pychat.net.websocket.protocol")),
        "engineio": partial(_engineio, load("pychat.transports.socketio.engineio.polling")),
        "socketio": partial(_socketio, load("pychat.transports.socketio.packet")),
        "json": partial(_json, load("pychat.domain.strictjson")),
        "commands": _commands,
        "events": _events,
        "irc": partial(_irc, load("pychat.transports.irc.line"), load("pychat.transports.irc.text")),
        "heads": partial(_heads, load("pychat.transports.socketio.handshake_router"), load("pychat.hosts.connection")),
        "forwarded": partial(
            _forwarded,
            load("pychat.net.http.proxies"),
            load("pychat.net.http.origins"),
            load("pychat.net.http.hosts"),
        ),
        "requests": partial(_requests, load("pychat.transports.socketio.engineio.replies")),
        "texts": partial(_texts, load("pychat.domain.names"), load("pychat.domain.texts")),
        "tokens": partial(_tokens, load("pychat.room.tokens")),
        "moderation": partial(_moderation, load("pychat.domain.networks")),
    }


def seeds(name: str) -> list[bytes]:
    """The corpus of a target."""
    return [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]


def _pieces(data: bytes) -> Iterator[bytes]:
    """The bytes in pieces whose lengths they say themselves."""
    at = 0
    while at < len(data):
        size = 1 + data[at] % 29
        yield data[at : at + size]
        at += size


# WebSocket frames


def _frames(module: Any, data: bytes) -> None:
    """However the bytes are cut, the same messages come, and the same end; nothing is longer than is taken."""
    whole, cut = _read_frames(module, [data]), _read_frames(module, _pieces(data))
    assert whole == cut, (whole, cut)
    messages, _, _, outgoing = whole
    assert all(len(each) <= _MESSAGE for each in messages)
    assert len(outgoing) <= len(data) + 4


def _read_frames(module: Any, pieces: Any) -> tuple[list[str | bytes], int | None, int | None, bytes]:
    protocol = module.WebSocketProtocol(_MESSAGE)
    found: list[str | bytes] = []
    for piece in pieces:
        found += protocol.feed(piece)
        while protocol.pending:
            found += protocol.feed()
    return found, protocol.failed, protocol.close_code, protocol.outgoing


# Engine.IO and Socket.IO


def _engineio(module: Any, data: bytes) -> None:
    """A body gives packets in order, or is refused."""
    received: list[str | bytes] = []
    session = SimpleNamespace(inbox_bytes=0, closed=False, overfull=False, receive=received.append)
    with contextlib.suppress(BadPacket, UnicodeDecodeError):
        _run(module._take_payload(_OPTIONS, session, data))
    assert len(received) <= data.count(b"\x1e") + 1
    assert sum(map(len, received)) <= len(data)


def _run(coroutine: Any) -> None:
    """Run what awaits nothing but the next turn of the event loop."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration:
        pass


def _socketio(module: Any, data: bytes) -> None:
    """A packet is decoded or refused; what was decoded means the same when it is encoded again."""
    head, *attachments = data.split(b"\x1e")
    try:
        packet = module.Packet(head.decode(errors="replace"))
        for each in attachments:
            if packet.complete:
                break
            packet.attach(each, _MESSAGE)
        if not packet.complete:
            return
        assert packet.size <= 256 + len(head.decode(errors="replace")) + sum(len(each) + 64 for each in attachments)
        value = packet.decode()
    except BadPacket:
        return
    assert packet.kind != module.EVENT or value[0] not in module.RESERVED_EVENTS
    if packet.kind in {module.EVENT, module.ACK}:
        frame, more = module.encode(packet.kind, value, packet.namespace, packet.id)
        again = module.Packet(frame.texts[0][1:])
        for each in more:
            again.attach(each, 10**9)
        assert (again.namespace, again.id, again.decode()) == (packet.namespace, packet.id, value)


# JSON, and the commands and events in it


def _json(module: Any, data: bytes) -> None:
    """What is taken is JSON for everybody: it can be written, as UTF-8, and read again."""
    try:
        value = module.loads(data.decode())
    except ValueError:
        return
    text = module.dumps(value)
    text.encode()
    assert module.loads(text) == value
    assert json.loads(data.decode()) == value


def _fields(data: bytes) -> Any:
    with contextlib.suppress(ValueError):
        return strictjson.loads(data.decode())
    return None


def _commands(data: bytes) -> None:
    """A command has fields of the right types, or is refused."""
    name, _, rest = data.partition(b" ")
    fields = _fields(rest)
    for table in (v1.COMMANDS, v2.COMMANDS):
        with contextlib.suppress(Refused):
            values = v1.decode_command(name.decode(errors="replace"), fields, table)
            required, _, optional = table[name.decode()]
            assert len(values) == len(required) + len(optional)
    position = v1.decode_position(fields)
    assert position is None or 0 <= position.seq < 2**63
    with contextlib.suppress(Refused):
        if isinstance(fields, list):
            assert len({each.room for each in v2.decode_entries(fields)}) == len(fields)
    with contextlib.suppress(Refused):
        if isinstance(fields, dict):
            v2.decode_hello(fields)


def _events(data: bytes) -> None:
    """An event of a server is decoded, passed over, or refused in the ways that a client expects."""
    name, _, rest = data.partition(b" ")
    fields = _fields(rest)
    if isinstance(fields, dict):
        for decode in (partial(v1.decode, name.decode(errors="replace")), v2.decode_entered, v2.decode_unread):
            with contextlib.suppress(KeyError, TypeError, ValueError):
                decode(fields)


# IRC


def _irc(module: Any, text: Any, data: bytes) -> None:
    """However the bytes are cut, the same lines come; a line that is parsed can be written, and means the same."""
    whole, cut = (list(_lines(module, pieces)) for pieces in ([data], _pieces(data)))
    assert whole == cut
    for line in whole:
        try:
            parsed = module.Line.parse(line or b"")
        except module.BadLine:
            continue
        assert parsed.command == parsed.command.upper()
        with contextlib.suppress(ValueError):  # a server writes less than clients may send
            encoded = parsed.encode()
            assert encoded.count(b"\n") == 1
            assert module.Line.parse(encoded[:-2]) == parsed
        for said in parsed.params:
            heard = text.from_irc(said)
            for part in text.to_irc(heard or "", 400):
                assert not {"\r", "\n", "\0"} & set(part)
                assert len(part.encode()) <= 400


def _lines(module: Any, pieces: Any) -> Iterator[bytes | None]:
    buffer = module.LineBuffer()
    for piece in pieces:
        yield from buffer.feed(piece)


# HTTP


def _heads(front: Any, host: Any, data: bytes) -> None:
    """The request that opens a WebSocket is read or passed on whole, wherever the bytes are cut."""
    whole, cut = _route(front, [data]), _route(front, _pieces(data))
    assert whole == cut, (whole, cut)
    request = front._read(data.partition(b"\r\n\r\n")[0], _Transport(), None)
    if request is not None:
        assert request.header("host") is not None
        for line in request.environ("192.0.2.1").values():
            assert not isinstance(line, str) or not {"\r", "\n", "\0"} & set(line)
    assert _end(host, [data]) == _end(host, _pieces(data)) == data.find(b"\r\n\r\n")


def _end(module: Any, pieces: Any) -> int:
    """Where the first empty line begins, as a connection finds it; -1 if there is none."""
    before, at = b"", 0
    for piece in pieces:
        found: int | None = module._end_of_head(before, piece, 0)
        if found is not None:
            return at + found - 4
        before, at = (before + piece)[-3:], at + len(piece)
    return -1


class _Transport:
    """A connection of nobody."""

    def __init__(self) -> None:
        self.protocol: object = None

    def is_closing(self) -> bool:
        return False

    def set_protocol(self, protocol: object) -> None:
        self.protocol = protocol

    def get_extra_info(self, name: str) -> object:
        return ("192.0.2.1", 1)


def _route(module: Any, pieces: Any) -> tuple[str, bytes]:
    """Who got the connection, and which bytes."""
    got = bytearray()
    sink = SimpleNamespace(connection_made=lambda _: None, data_received=got.extend)
    opened: list[str] = []

    def open_socket(request: Any) -> bool:
        opened.append(request.query)
        request.websocket = sink
        return True

    router = module.HandshakeRouter(SimpleNamespace(eio=SimpleNamespace(open_socket=open_socket)), lambda: sink)
    transport = _Transport()
    router.connection_made(transport)
    for piece in pieces:
        if transport.protocol is not None or opened:
            got += piece
        else:
            router.data_received(piece)
    return (opened[0] if opened else "passed on" if transport.protocol else "waits"), bytes(got)


def _forwarded(proxies: Any, origins: Any, hosts: Any, data: bytes) -> None:
    """An address behind proxies is one, or the peer's own; no origin, host or name makes anything fail."""
    text = data.decode("latin-1")
    found = proxies.Proxies("127.0.0.0/8").client("127.0.0.1", text)
    ipaddress.ip_address(found)
    assert proxies.Proxies().client("127.0.0.1", text) == "127.0.0.1"
    first, _, second = text.partition(" ")
    origins.OriginPolicy().allows(first, second)
    assert not origins.OriginPolicy().allows("null", second)
    name = hosts.host_name(first)
    assert name is None or name == name.lower()
    hosts.HostPolicy(["chat.example.com"]).refusal(proxies.Proxies("*"), "127.0.0.1", first, second)


def _requests(replies: Any, data: bytes) -> None:
    """What stands in an address, a cookie or a header of a request never makes anything fail."""
    text = data.decode("latin-1")
    query = replies.Query(text)
    assert "&" not in query.sid
    name, _, value = text.partition(":")
    headers = joined_headers([(name.lower(), value), ("cookie", text), ("authorization", value)])
    request = Request("GET", "/", headers, {}, "", "lobby", None)
    assert all(";" not in value for value in request.cookies.values())
    assert request.bearer is None or request.bearer == request.bearer.strip()


# What people write


def _texts(names: Any, texts: Any, data: bytes) -> None:
    """A name or text that is accepted is accepted again as it is, fits, and can be stored and shown."""
    text = data.decode("utf-8", "surrogatepass") if _is_text(data) else data.decode("latin-1")
    with contextlib.suppress(Refused):
        name = names.Names(reserved=("admin",)).accept(text)
        assert 0 < len(name) <= 32
        assert names.Names(reserved=("admin",)).accept(name) == name
        assert name.isprintable()
        name.encode()
    with contextlib.suppress(Refused):
        accepted = texts.accept_text(text, 2_000)
        accepted.encode()
        assert "\0" not in accepted
        assert texts.accept_text(accepted, 2_000) == accepted
    with contextlib.suppress(Refused):
        emoji = texts.accept_emoji(text)
        assert texts.accept_emoji(emoji) == emoji


def _is_text(data: bytes) -> bool:
    try:
        data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return False
    return True


def _tokens(module: Any, data: bytes) -> None:
    """No token is good that was not issued; ids are letters, digits, `_` and `-`."""
    text = data.decode("latin-1")
    tokens = module.Tokens(b"a secret that nobody knows")
    assert tokens.read(text) is None
    with contextlib.suppress(Refused):
        given = module.event_id(text)
        assert given == text
        assert set(given) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")


def _moderation(networks: Any, data: bytes) -> None:
    """An address or network that a moderator writes has one form, or is refused; nobody's own computer is in it."""
    text = data.decode("latin-1")
    networks.network_of(text)
    try:
        network = networks.parse_network(text)
    except Refused:
        return
    assert networks.parse_network(network) == network
    parsed = ipaddress.ip_network(network)
    assert parsed.prefixlen >= (8 if parsed.version == 4 else 16)
    assert ipaddress.ip_address("127.0.0.1" if parsed.version == 4 else "::1") not in parsed
    found = networks.Networks()
    found.add(network, text)
    assert found.find(str(parsed.network_address)) == [text]
