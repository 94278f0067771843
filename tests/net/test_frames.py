"""Frames of clients, as RFC 6455 says, in whatever pieces they come."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pychat.net.websocket.protocol import FRAMES_PER_TURN, MAX_FRAGMENTS, SMALL_FRAGMENT, State, WebSocketProtocol

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


def told(reader: WebSocketProtocol) -> list[tuple[int, str | bytes]]:
    """The control frames that it wants sent, in order: opcodes and payloads."""
    outgoing, reader.outgoing = reader.outgoing, b""
    found: list[tuple[int, str | bytes]] = []
    while outgoing:
        end = 2 + outgoing[1]
        found.append((outgoing[0] & 15, outgoing[2:end]))
        outgoing = outgoing[end:]
    return found


def turn(reader: WebSocketProtocol, data: bytes = b"") -> list[tuple[int, str | bytes]]:
    """All that comes of one call: messages, and the control frames that answer, in order."""
    heard: list[tuple[int, str | bytes]] = []
    for message in reader.feed(data):
        heard += [*told(reader), (1 if isinstance(message, str) else 2, message)]
    return heard + told(reader)


def read(reader: WebSocketProtocol, wire: bytes) -> list[tuple[int, str | bytes]]:
    """All that comes of these bytes, in as many turns as it takes."""
    heard = turn(reader, wire)
    while reader.pending:
        heard += turn(reader)
    return heard


def cut(wire: bytes, sizes: list[int]) -> Iterator[bytes]:
    """The same bytes in pieces of these sizes, again and again."""
    at = 0
    for size in itertools.cycle(sizes):
        if at >= len(wire):
            return
        yield wire[at : at + size]
        at += size


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
    """Any messages, in any fragments with pings between, in any pieces: the same in order, each once, and a pong each."""
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
                    expected.append((10, b"?"))
        expected.append((kind, message))
        if ping:
            expected.append((10, b"?"))
    reader, heard = WebSocketProtocol(LIMIT), []
    for piece in cut(wire, cuts):
        heard += read(reader, piece)
    assert expected == heard
    assert (State.OPEN, None) == (reader.state, reader.failed)


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
    """What came before is heard; then the client is told a close code, once, and nothing more is read."""
    reader = WebSocketProtocol(LIMIT)
    assert [(1, "before"), (8, code.to_bytes(2))] == read(reader, masked(1, b"before") + wire)
    assert (State.CLOSED, code, None) == (reader.state, reader.failed, reader.close_code)
    assert [] == read(reader, masked(1, b"after"))
    assert not reader.pending


def test_the_largest_message_is_taken():
    """A message of exactly the limit comes through, in one frame and in two."""
    whole = read(WebSocketProtocol(LIMIT), masked(2, b"x" * LIMIT))
    halves = read(WebSocketProtocol(LIMIT), masked(2, b"x" * (LIMIT - 1), final=False) + masked(0, b"x"))
    assert [(2, b"x" * LIMIT)] == whole == halves


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, *range(1007, 1015), 3000, 4999])
def test_close_codes_that_may_be_sent(code):
    """They are taken, with the reason, and answered; what comes behind a close frame is not read."""
    reader = WebSocketProtocol(LIMIT)
    closing = code.to_bytes(2) + "grüß".encode()
    assert [(8, code.to_bytes(2))] == read(reader, masked(8, closing) + masked(1, b"after"))
    assert (State.CLOSED, None, code) == (reader.state, reader.failed, reader.close_code)
    assert not reader.pending


def test_a_message_has_a_number_of_fragments():
    """As many fragments as there may be are one message; one more ends the reading, however little they hold."""
    reader = WebSocketProtocol(LIMIT)
    most = masked(2, b"a", final=False) + masked(0, b"", final=False) * (MAX_FRAGMENTS - 2)
    assert [(2, b"az")] == read(reader, most + masked(0, b"z"))
    assert [(2, b"az")] == read(reader, most + masked(0, b"z"))  # each message anew
    assert [(8, (1008).to_bytes(2))] == read(reader, most + masked(0, b"", final=False) + masked(0, b"z"))
    assert 1008 == reader.failed


def test_a_turn_reads_a_bounded_number_of_frames():
    """One call reads so many frames and no more, also of those that give nothing; `pending` says that there are more."""
    reader = WebSocketProtocol(LIMIT)
    assert [(10, b"")] * FRAMES_PER_TURN == turn(reader, masked(9, b"") * (FRAMES_PER_TURN + 1))
    assert reader.pending
    reader.hold(masked(1, b"held"))
    assert [(10, b""), (1, "held")] == turn(reader)
    assert not reader.pending


def test_a_turn_counts_what_gives_nothing():
    """Fragments count like all other frames."""
    reader = WebSocketProtocol(LIMIT)
    assert [] == turn(reader, masked(1, b"a", final=False) + masked(0, b"", final=False) * FRAMES_PER_TURN)
    assert reader.pending
    assert [(1, "a")] == read(reader, masked(0, b""))


def test_a_turn_reads_a_bounded_number_of_bytes():
    """Behind so many bytes no frame is begun."""
    reader = WebSocketProtocol(LIMIT)
    whole = masked(2, b"x" * 60_000)
    assert [2, 2] == [len(turn(reader, whole * 4)), len(turn(reader))]
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
        reader = WebSocketProtocol(LIMIT)
        read(reader, wire)
        assert cheap == reader.cheap


def steps(wire: bytes, pieces: int) -> int:
    """The lines that run while `wire` is read in pieces, and the bytes of all that is made anew meanwhile."""
    reader = WebSocketProtocol(10_000_000)
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
