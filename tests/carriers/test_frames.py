"""Frames of clients, as RFC 6455 says, in whatever pieces they come."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pychat.carriers.frames import FrameReader

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
        heard += reader.feed(wire[at : at + cuts[turn % len(cuts)]])
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
        (masked(1, b"\xff"), 1007),
        (masked(1, b"\xc3", final=False) + masked(0, b"x"), 1007),
        (masked(2, b"x" * (LIMIT + 1))[:14], 1009),  # at once, not when all of it has come
        (masked(2, b"x" * LIMIT, final=False) + masked(0, b"x"), 1009),
    ],
)
def test_what_may_not_be_sent_ends_the_reading(wire, code):
    """What came before is heard; then there is a close code, and nothing more is read."""
    reader = FrameReader(LIMIT)
    assert [(1, "before")] == reader.feed(masked(1, b"before") + wire)
    assert code == reader.failed
    assert [] == reader.feed(masked(1, b"after"))


def test_the_largest_message_is_taken():
    """A message of exactly the limit comes through, in one frame and in two."""
    whole = FrameReader(LIMIT).feed(masked(2, b"x" * LIMIT))
    halves = FrameReader(LIMIT).feed(masked(2, b"x" * (LIMIT - 1), final=False) + masked(0, b"x"))
    assert [(2, b"x" * LIMIT)] == whole == halves
