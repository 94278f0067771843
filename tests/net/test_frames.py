"""Frames of clients, as RFC 6455 says, in whatever pieces they come."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from pychat.net.websocket.protocol import FRAMES_PER_TURN, MAX_FRAGMENTS, SMALL_FRAGMENT, FrameReader

LIMIT = 70_000


def masked(
    opcode: int, payload: bytes, *, final: bool = True, mask: bytes = b"\x01\x80\xff\x5a", flags: int = 0
) -> bytes:
    """A client's frame."""
    size = len(payload)
    length = bytes([size]) if size < 126 else b"\x7e" + size.to_bytes(2) if size < 65536 else b"\x7f" + size.to_bytes(8)
    first = bytes([(128 if final else 0) | flags | opcode])
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return first + bytes([length[0] | 128]) + length[1:] + mask + body


def read(reader: FrameReader, wire: bytes) -> list[tuple[int, str | bytes]]:
    """All that comes of these bytes, in as many turns as it takes."""
    heard = reader.feed(wire)
    while reader.pending:
        heard += reader.feed()
    return heard


messages = st.one_of(
    st.text(max_size=200),
    st.binary(max_size=200),
    st.sampled_from(["x" * 125, "x" * 126, "é" * 32_768, b"y" * 65_535, b"y" * 65_536]),
)


@settings(deadline=None)
@given(
    said=st.lists(st.tuples(messages, st.integers(1, 4), st.booleans()), max_size=6),
    cuts=st.lists(st.integers(1, 5_000), min_size=1, max_size=30),
    mask=st.binary(min_size=4, max_size=4),
)
def test_messages_come_out_as_they_went_in(said, cuts, mask):
    """Any messages, in any fragments with pings between, in any pieces: the same messages, in order, each once."""
    wire, expected = b"", []
    for message, pieces, ping in said:
        kind = 1 if isinstance(message, str) else 2
        payload = message.encode() if isinstance(message, str) else message
        step = len(payload) // pieces + 1
        parts = [payload[at : at + step] for at in range(0, len(payload), step)] or [b""]
        for index, part in enumerate(parts):
            wire += masked(kind if index == 0 else 0, part, final=index == len(parts) - 1, mask=mask)
            if ping:
                wire += masked(9, b"?", mask=mask)
                if index < len(parts) - 1:
                    expected.append((9, b"?"))
        expected.append((kind, message))
        if ping:
            expected.append((9, b"?"))
    reader, heard, at, turn = FrameReader(LIMIT), [], 0, 0
    while at < len(wire):
        heard += read(reader, wire[at : at + cuts[turn % len(cuts)]])
        at += cuts[turn % len(cuts)]
        turn += 1
    assert expected == heard
    assert reader.failed is None


@pytest.mark.parametrize(
    ("wire", "code"),
    [
        (b"\x81\x02hi1234", 1002),  # not masked
        (masked(1, b"hi", flags=0x40), 1002),  # compressed, which was not agreed on
        (masked(3, b"hi"), 1002),  # an opcode that is none
        (masked(11, b"hi"), 1002),
        (masked(9, b"x" * 126), 1002),  # a control frame that is too long
        (masked(9, b"hi", final=False), 1002),  # a control frame in parts
        (masked(0, b"hi"), 1002),  # goes on with nothing
        (masked(1, b"hi", final=False) + masked(1, b"ho"), 1002),  # begins while another goes on
        (b"\x81\x02", 1002),  # not masked: known from its first two bytes
        (b"\x81\xfe\x00\x7d" + b"\0" * 129, 1002),  # a length of 125 in two bytes, which fits one
        (b"\x82\xff" + (65_535).to_bytes(8) + b"\0" * 4, 1002),  # a length in eight bytes, which fits two
        (b"\x89\xfe\x00\x05" + b"\0" * 9, 1002),  # the same of a control frame
        (masked(8, b"\x03"), 1002),  # half a close code
        *[(masked(8, code.to_bytes(2)), 1002) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65_535)],
        (masked(8, (1000).to_bytes(2) + b"\xff"), 1007),  # a reason that is no UTF-8
        (masked(1, b"hi", final=False) + masked(8, b""), 1002),  # closes within a message
        (masked(2, b"", final=False) + masked(0, b"", final=False) * MAX_FRAGMENTS, 1008),
        (masked(1, b"\xff"), 1007),
        (masked(1, b"\xc3", final=False) + masked(0, b"x"), 1007),
        (masked(2, b"x" * (LIMIT + 1))[:14], 1009),  # at once, not when all of it has come
        (masked(2, b"x" * LIMIT, final=False) + masked(0, b"x"), 1009),
    ],
)
def test_what_may_not_be_sent_ends_the_reading(wire, code):
    """What came before is heard; then there is a close code, and nothing more is read."""
    reader = FrameReader(LIMIT)
    assert [(1, "before")] == read(reader, masked(1, b"before") + wire)
    assert code == reader.failed
    assert [] == read(reader, masked(1, b"after"))
    assert not reader.pending


def test_the_largest_message_is_taken():
    """A message of exactly the limit comes through, in one frame and in two."""
    whole = read(FrameReader(LIMIT), masked(2, b"x" * LIMIT))
    halves = read(FrameReader(LIMIT), masked(2, b"x" * (LIMIT - 1), final=False) + masked(0, b"x"))
    assert [(2, b"x" * LIMIT)] == whole == halves


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 4999])
def test_close_codes_that_may_be_sent(code):
    """They are taken, with the reason; what comes behind a close frame is not read."""
    reader = FrameReader(LIMIT)
    closing = code.to_bytes(2) + "grüß".encode()
    assert [(8, closing)] == read(reader, masked(8, closing) + masked(1, b"after"))
    assert reader.failed is None
    assert not reader.pending


def test_a_message_has_a_number_of_fragments():
    """As many fragments as there may be are one message; one more ends the reading, however little they hold."""
    reader = FrameReader(LIMIT)
    most = masked(2, b"a", final=False) + masked(0, b"", final=False) * (MAX_FRAGMENTS - 2)
    assert [(2, b"az")] == read(reader, most + masked(0, b"z"))
    assert [(2, b"az")] == read(reader, most + masked(0, b"z"))  # each message anew
    assert [] == read(reader, most + masked(0, b"", final=False) + masked(0, b"z"))
    assert 1008 == reader.failed


def test_a_turn_reads_a_bounded_number_of_frames():
    """One call reads so many frames and no more, also of those that give nothing; `pending` says that there are more."""
    reader = FrameReader(LIMIT)
    assert [(9, b"")] * FRAMES_PER_TURN == reader.feed(masked(9, b"") * (FRAMES_PER_TURN + 1))
    assert reader.pending
    reader.hold(masked(1, b"held"))
    assert [(9, b""), (1, "held")] == reader.feed()


def test_a_turn_counts_what_gives_nothing():
    """Fragments count like all other frames."""
    reader = FrameReader(LIMIT)
    assert [] == reader.feed(masked(1, b"a", final=False) + masked(0, b"", final=False) * FRAMES_PER_TURN)
    assert reader.pending
    assert [(1, "a")] == read(reader, masked(0, b""))


def test_a_turn_reads_a_bounded_number_of_bytes():
    """Behind so many bytes no frame is begun."""
    reader = FrameReader(LIMIT)
    whole = masked(2, b"x" * 60_000)
    assert [2, 2] == [len(reader.feed(whole * 4)), len(reader.feed())]
    assert not reader.pending


def test_cheap_frames_are_counted():
    """Control frames, empty frames and small fragments are cheap; messages and large fragments are not."""
    small, large = b"x" * (SMALL_FRAGMENT - 1), b"x" * SMALL_FRAGMENT
    for wire, cheap in (
        (masked(1, b"x"), 0),
        (masked(2, large, final=False) + masked(0, large), 0),
        (masked(9, large[:125]), 1),
        (masked(10, b""), 1),
        (masked(1, b""), 1),
        (masked(2, b""), 1),
        (masked(2, small, final=False) + masked(0, large), 1),
        (masked(2, large, final=False) + masked(0, b"", final=False) * 3 + masked(0, small), 4),
    ):
        reader = FrameReader(LIMIT)
        read(reader, wire)
        assert cheap == reader.cheap


def steps(wire: bytes, pieces: int) -> int:
    """The lines that run while `wire` is read in pieces, and the bytes of all that is made anew meanwhile."""
    reader = FrameReader(10_000_000)
    count: int = 0
    known: dict[int, object] = {}

    def trace(frame, event, _):
        nonlocal count
        if not frame.f_code.co_filename.endswith("net/websocket/protocol.py"):
            return None
        count += 1
        for value in (*frame.f_locals.values(), *[getattr(reader, name) for name in reader.__slots__]):
            if isinstance(value, bytes | bytearray | int) and id(value) not in known:
                known[id(value)] = value  # kept, so that no other has its id
                count += value.bit_length() // 8 if isinstance(value, int) else len(value)
        return trace

    size = len(wire) // pieces + 1
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        for at in range(0, len(wire), size):
            read(reader, wire[at : at + size])
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("pieces", [(1, 1), (50, 50), (50, 100)])
@pytest.mark.parametrize(
    "shape",
    [
        lambda n: masked(9, b"") * n,
        lambda n: masked(10, b"x" * 100) * n,
        lambda n: masked(1, b"") * n,
        lambda n: masked(1, b"x" * n * 50),
        lambda n: masked(2, b"x" * n * 50, final=False) + masked(0, b"", final=False) * (n // 2) + masked(0, b""),
        lambda n: masked(1, b"x", final=False) + masked(0, b"x" * 50, final=False) * (n // 2) + masked(0, b""),
    ],
)
def test_twice_the_bytes_take_twice_the_work(shape, pieces):
    """However frames are cut and mixed, doubling what comes no more than doubles the steps of reading it."""
    once, twice = steps(shape(400), pieces[0]), steps(shape(800), pieces[1])
    assert twice < 2.3 * once


REQUEST = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


def reference(wire: bytes) -> tuple[list[tuple[int, str | bytes]], int | None]:
    """What the library `websockets` hears, and the code of the error for which it closes."""
    server = ServerProtocol(max_size=1_000)
    server.receive_data(REQUEST)
    request = server.events_received()[0]
    assert isinstance(request, Request)
    server.send_response(server.accept(request))
    server.receive_data(wire)
    heard: list[tuple[int, str | bytes]] = []
    kind, parts = Opcode.CONT, b""
    for frame in server.events_received():
        assert isinstance(frame, Frame)
        if frame.opcode in {Opcode.CLOSE, Opcode.PING, Opcode.PONG}:
            heard.append((int(frame.opcode), bytes(frame.data)))
            continue
        kind = frame.opcode or kind
        parts += frame.data
        if frame.fin:
            try:
                heard.append((int(kind), parts.decode() if kind is Opcode.TEXT else parts))
            except UnicodeDecodeError:  # its connection decodes, one layer above
                return heard, CloseCode.INVALID_DATA
            parts = b""
    return heard, None if server.parser_exc is None or server.close_sent is None else server.close_sent.code


frames = st.one_of(
    st.builds(
        lambda opcode, payload, final: masked(opcode, payload, final=final),
        st.sampled_from([0, 0, 1, 2]),
        st.one_of(st.binary(max_size=40), st.text(max_size=20).map(str.encode), st.just(b"z" * 600)),
        st.booleans(),
    ),
    st.builds(masked, st.sampled_from([9, 10]), st.binary(max_size=125)),
    st.builds(  # what is wrong with most of them: opcode, FIN, flags
        lambda opcode, payload, final, flags: masked(opcode, payload, final=final, flags=flags),
        st.integers(0, 15).filter(lambda opcode: opcode != 8),
        st.binary(max_size=130),
        st.booleans(),
        st.sampled_from([0, 0, 0x40, 0x20, 0x10]),
    ),
    st.builds(
        lambda code, reason: masked(8, (code.to_bytes(2) + reason)[:125]),
        st.one_of(st.integers(990, 1020), st.integers(2990, 5010), st.integers(0, 65_535)),
        st.one_of(st.text(max_size=20).map(str.encode), st.binary(max_size=10)),
    ),
    st.sampled_from([masked(8, b""), masked(8, b"\x03"), b"\x81\x02hi", b"\x88\x00"]),
)


@settings(deadline=None, max_examples=300)
@given(sent=st.lists(frames, max_size=8), cuts=st.lists(st.integers(1, 900), min_size=1, max_size=8))
def test_the_same_as_the_library_websockets(sent, cuts):
    """Any frames, well-formed or not, in any pieces: the same messages, and the same close code for what is wrong."""
    wire = b"".join(sent)
    reader, heard, at, turn = FrameReader(1_000), [], 0, 0
    while at < len(wire):
        heard += read(reader, wire[at : at + cuts[turn % len(cuts)]])
        at += cuts[turn % len(cuts)]
        turn += 1
    expected, code = reference(wire)
    assert expected == heard
    if code == CloseCode.MESSAGE_TOO_BIG and reader.failed == CloseCode.PROTOCOL_ERROR:
        return  # a frame that is wrong twice: the library looks at its size first
    assert code == reader.failed
