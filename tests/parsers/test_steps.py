"""What a parser costs grows as its input does: double the input, and the steps double at most, whatever the input is."""

from __future__ import annotations

import contextlib
import unicodedata
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pychat.domain.errors import Refused
from pychat.domain.limits import PRECHECK_FACTOR
from pychat.transports.socketio.engineio.packet import BadPacket
from pychat.transports.socketio.options import Options
from tests.parsers.steps import assert_linear, counted, counted_source, largest, steps

FRAMES = counted("pychat.net.websocket.protocol")
FRONT = counted("pychat.transports.socketio.handshake_router")
HANDSHAKE = counted("pychat.net.websocket.handshake")
PACKET = counted("pychat.transports.socketio.packet")
POLLING = counted("pychat.transports.socketio.engineio.polling")
REPLIES = counted("pychat.transports.socketio.engineio.replies")
JSON = counted("pychat.domain.strictjson")
IRC_LINE = counted("pychat.transports.irc.line")
IRC_TEXT = counted("pychat.transports.irc.text")
PEER = counted("pychat.net.http.proxies")
ORIGIN = counted("pychat.net.http.origins")
TEXTS = counted("pychat.domain.texts")
MENTIONS = counted("pychat.domain.mentions")
NAMES = counted("pychat.domain.names")
WORDS = counted("pychat.stores.sqlite.search_index")
TOKENS = counted("pychat.room.tokens")

#: What parsers look for, and what they do not expect.
MARKS = [
    *" \t:;,=&?%+-_./\\\"'@#*()[]{}<>|~^!$", "\r\n", "\n", "\r", "\0", "\x01", "\x1e", "a", "b", "é", "0", "9", "-1",
    "\u0301", "\u200b", "\ud800", "\U0001f600", "\\ud83d", "\\u0000", "\\\\", '\\"', "true", "null", "NaN", "1e9",
    "[]", "{}", "[],", '"":', '{"_placeholder":true,"num":0}', "x: y\r\n", "cookie: a\r\n", "127.0.0.1", "::1", "%00",
    "transport=", "EIO=4&", "http://", "//", "\x03", "\x0304,", "\x02", "\\:", "\\s", "喝",
]  # fmt: skip
piece = st.lists(st.sampled_from(MARKS), max_size=3).map("".join)
unit = st.lists(st.sampled_from(MARKS), min_size=1, max_size=3).map("".join)


def repeated(beginning: str, middle: str, end: str) -> Callable[[int], str]:
    """Input of any size."""
    return lambda count: beginning + middle * count + end


def refusing(parse: Callable[[Any], object]) -> Callable[[Any], None]:
    """The same parser, which may refuse what it is given."""

    def run(given: Any) -> None:
        with contextlib.suppress(ValueError, Refused, RecursionError, IRC_LINE.BadLine, PACKET.BadPacket, BadPacket):
            parse(given)

    return run


def _front(head: str) -> None:
    """A request head, as it comes, in pieces of 64 bytes."""
    given_on: list[object] = []
    transport = SimpleNamespace(
        is_closing=lambda: False, set_protocol=given_on.append, get_extra_info=lambda _: None, close=lambda: None
    )
    sink = SimpleNamespace(connection_made=lambda _: None, data_received=lambda _: None)
    engine = SimpleNamespace(open_socket=lambda _: False)
    front = FRONT.HandshakeRouter(SimpleNamespace(eio=engine), lambda: sink)
    front.connection_made(transport)
    data = head.encode("utf-8", "surrogatepass")
    for at in range(0, min(len(data), 2 * FRONT.MAX_HEAD_BYTES), 64):
        front.data_received(data[at : at + 64])
        if given_on:
            return


def _head(head: str) -> None:
    """A request head that is whole."""
    FRONT._read(head.encode("utf-8", "surrogatepass"), SimpleNamespace(get_extra_info=lambda _: None), None)


def _payload(body: str) -> None:
    """The body of a client that polls."""
    options = Options(max_payload_packets=10**9, max_message_bytes=10**9, max_http_buffer_size=10**9)
    session = SimpleNamespace(inbox_bytes=0, closed=False, overfull=False, receive=lambda _: None)
    taking = POLLING._take_payload(options, session, body.encode("utf-8", "surrogatepass"))
    try:
        while True:
            taking.send(None)
    except StopIteration:
        pass


def _irc_stream(text: str) -> None:
    """Lines of IRC, in pieces of 100 bytes."""
    data, buffer = text.encode("utf-8", "surrogatepass"), IRC_LINE.LineBuffer()
    for at in range(0, len(data), 100):
        for line in buffer.feed(data[at : at + 100]):
            if line is not None:
                refusing(IRC_LINE.Line.parse)(line)


def _attachments(count: int) -> str:
    return "5" + str(min(count, 100)) + '-["a"' + ',{"_placeholder":true,"num":0}' * count + "]"


TEXT_PARSERS: dict[str, tuple[str, Callable[[str], object], str]] = {
    "a request in pieces": ("GET /socket.io/?EIO=4", _front, "\r\n\r\n"),
    "the fields of a request": ("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n", _head, ""),
    "the value of a field": ("GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nx:", _head, "\x01"),
    "the key of a WebSocket": ("", HANDSHAKE.accept_key, ""),
    "a query": ("EIO=4&", REPLIES.Query, "&sid=1"),
    "an event": ('2["a",', lambda text: PACKET.Packet(text).decode(), "]"),
    "a namespace": ("2/a", lambda text: PACKET.Packet(text).decode(), ',["a"]'),
    "an acknowledgement": ("3", lambda text: PACKET.Packet(text).decode(), "[]"),
    "attachments": ('51-["a",', lambda text: PACKET.Packet(text).decode(), "]"),
    "any packet": ("", lambda text: PACKET.Packet(text).decode(), ""),
    "a body of packets": ("", _payload, ""),
    "JSON": ("", JSON.loads, ""),
    "a JSON text": ('"', JSON.loads, '"'),
    "a JSON array": ("[", JSON.loads, "1]"),
    "lines of IRC": ("", _irc_stream, "\r\n"),
    "a line of IRC": ("PRIVMSG #lobby :", lambda text: IRC_LINE.Line.parse(text.encode("utf-8", "surrogatepass")), ""),
    "tags of IRC": ("@a=", lambda text: IRC_LINE.Line.parse(text.encode("utf-8", "surrogatepass")), " PING a"),
    "the escapes of tags": ("", IRC_LINE._parse_tags, ""),
    "what is said on IRC": ("\x01ACTION ", IRC_TEXT.from_irc, "\x01"),
    "a message for IRC": ("", lambda text: IRC_TEXT.to_irc(text, 100), ""),
    "an address": ("", PEER._parse, ""),
    "X-Forwarded-For": ("", lambda text: PEER.Proxies("127.0.0.0/8").client("127.0.0.1", text), ",127.0.0.1"),
    "an origin": ("http://", lambda text: ORIGIN.OriginPolicy().allows(text, text), ""),
    "a text": ("", lambda text: TEXTS.accept_text(text, 10**9), ""),
    "an emoji": ("", TEXTS.emoji_of, ""),
    "a nickname": ("", lambda text: NAMES.Names(reserved=()).accept(text), ""),
    "mentions": ("@", lambda text: list(MENTIONS.find_mentions(text, 32, {}.get)), ""),
    "a search": ("", lambda text: WORDS.query(text[: PRECHECK_FACTOR * 200]), ""),
    "a token": ("", lambda text: TOKENS.Tokens(b"secret").read(text), ".x"),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXT_PARSERS)
@given(beginning=piece, middle=unit, end=piece)
@example("", " ", "\x01")
@example("", ",", "")
@example("", "[", "")
@example("", "[],", "")
@example("", "\x1e", "")
@example("", "\u0301", "")
@example("", "\\", "")
@example("", "@", "")
@settings(max_examples=60, deadline=None)
def test_texts(name, beginning, middle, end):
    """Runs of anything, behind anything and before anything, cost in proportion."""
    before, parse, after = TEXT_PARSERS[name]
    assert_linear(refusing(parse), repeated(before + beginning, middle, end + after))


def frame(first: int, payload: bytes, mask: bytes = bytes(4)) -> bytes:
    """A masked frame of a client."""
    size = len(payload)
    if size < 126:
        head = bytes((first, 128 + size))
    else:
        head = bytes((first, 254)) + size.to_bytes(2) if size < 65536 else bytes((first, 255)) + size.to_bytes(8)
    return head + mask + bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))


def _frames(pieces: int) -> Callable[[bytes], None]:
    """Read a stream of frames that comes in pieces of so many bytes."""

    def run(data: bytes) -> None:
        reader = FRAMES.WebSocketProtocol(10**9)
        for at in range(0, len(data), pieces):
            list(reader.feed(data[at : at + pieces]))
            reader.outgoing = b""  # it is sent after each call
            while reader.pending:
                list(reader.feed())
                reader.outgoing = b""

    return run


FRAME = st.builds(
    frame,
    st.sampled_from([0x81, 0x82, 0x01, 0x02, 0x80, 0x00, 0x88, 0x89, 0x8A, 0x83]),
    st.sampled_from([b"", b"x", b"xy" * 60, b"x" * 126, b"\xff", "é".encode(), b"\x03\xe8"]),
    st.sampled_from([bytes(4), b"\1\2\3\4"]),
)


@given(
    st.lists(FRAME, max_size=2).map(b"".join),
    st.lists(FRAME, min_size=1, max_size=2).map(b"".join),
    st.sampled_from([5, 100, 10**9]),
)
@example(frame(0x01, b"x" * 900), frame(0x00, b""), 100)
@example(b"", frame(0x89, b""), 10**9)
@example(b"", frame(0x81, b"x"), 1)
@settings(max_examples=30, deadline=None)
def test_frames(beginning, middle, pieces):
    """Any frames, many times over, in pieces of any size."""
    # A turn reads 32 frames: the first may be cheaper than the others by what it does not read.
    assert_linear(_frames(pieces), lambda count: beginning + middle * count, 100, 10_000)


@pytest.mark.parametrize("pieces", [100, 10**9])
def test_a_message_in_fragments(pieces):
    """A large first fragment, and many small ones behind it: none is a reason to copy the large one."""
    fragments = 1000

    def cost(size: int) -> int:
        data = frame(0x01, b"x" * size) + frame(0x00, b"") * fragments
        return steps(lambda: _frames(pieces)(data))

    assert cost(50_000) <= cost(25_000) + 40 * 25_000


@given(st.integers(0, 10**6), st.sampled_from([64, 1000]))
@settings(max_examples=20, deadline=None)
def test_a_large_frame_in_pieces(seed, pieces):
    """What of a large message has come is not looked at again with each piece."""
    text = bytes((seed + at) % 128 for at in range(64))
    assert_linear(_frames(pieces), lambda count: frame(0x82, text * count), 300)


@given(unit)
@example("\u0301")
@example("\u0344")
@settings(max_examples=30, deadline=None)
def test_what_reaches_normalisation_is_bounded(middle):
    """Normalising is quadratic in runs of combining marks: only what is a few times the limit at most is normalised."""
    accept = refusing(lambda raw: NAMES.Names(reserved=()).accept(raw))
    for text in (middle * 50, middle * 100_000):
        steps(partial(accept, text))
        assert largest("normalize") <= PRECHECK_FACTOR * 32 + PRECHECK_FACTOR
        assert largest("enforce") <= PRECHECK_FACTOR * 32 + PRECHECK_FACTOR


def test_normalisation_is_why():
    """What the bound is for: a run of marks in the wrong order costs the square of its length."""
    assert unicodedata.normalize("NFD", "a" + "\u0301\u0316" * 4) != "a" + "\u0301\u0316" * 4


# The counter itself: it must see what was wrong here once.

_BAD = """
class Fragments:
    def __init__(self):
        self.parts = b""
    def feed(self, data):
        self.parts = bytearray(self.parts) + data

def inbox(items):
    while items:
        items.pop(0)

def growing(text):
    found = ""
    for letter in text:
        found += letter
    return found

def heads(text):
    found = []
    while text:
        head, _, text = text.partition(",")
        found.append(head)
    return found

def slices(data):
    while data:
        data = data[1:]

def searches(text):
    return [letter in text for letter in text.split("b")]

def drops(items):
    while items:
        del items[:1]

def good(text):
    at, found = 0, []
    while at < len(text):
        end = text.find(",", at)
        end = len(text) if end < 0 else end
        found.append(text[at:end])
        at = end + 1
    return "".join(found)
"""


@pytest.mark.parametrize("name", ["inbox", "growing", "heads", "slices", "searches", "drops", "fragments", "good"])
def test_the_counter_sees(name):
    """Copying again and again, taking from the front of a list, searching from the start: each is found; a cursor is fine."""
    bad: Any = counted_source("bad", _BAD)

    def run(text: str) -> None:
        if name == "fragments":
            reader = bad.Fragments()
            for _ in text:
                reader.feed(b"")
                reader.parts = reader.parts or bytes(len(text))
        elif name in {"inbox", "drops"}:
            getattr(bad, name)(list(text))
        else:
            getattr(bad, name)(text)

    def check() -> None:
        assert_linear(run, lambda count: "a,b" * count)

    if name == "good":
        check()
    else:
        with pytest.raises(AssertionError, match="steps"):
            check()
