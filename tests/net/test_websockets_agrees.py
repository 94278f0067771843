"""The protocol against the one of the library `websockets`: the same bytes in the same pieces, and the same outcome.

Compared are messages, pongs, both close codes, and the state. What differs on purpose:

- A close frame is answered with its code alone, an empty one with 1000. The library repeats the reason, or nothing.
- A frame of a kind that may not come now is refused at its first two bytes; the library waits for all of it. A length
  that may not be is refused with the mask behind it; the library does not wait for that.
- A length in a longer form than it needs is refused, as RFC 6455, section 5.2, says; the library takes it.
- A frame that breaks two rules gets one of the two codes: the library looks at the size first.
- Text that is not UTF-8 is told by its code here; the library's protocol leaves decoding to the layer above.
- After `close` messages are dropped here; the library's layer above still hands them out.
- A message has 1,024 fragments at most. No case here has as many.
- A server of the library closes the TCP connection at once after a mistake; a binding waits for the client to read why.
  For the protocol both are over, so the library's `CLOSING` with its end sent is `CLOSED` here.
"""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from websockets import protocol as reference_protocol
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

from pychat.net.websocket.connection import NO_CODE
from pychat.net.websocket.protocol import State, WebSocketProtocol
from tests.net.test_frames import cut, masked, read, told

_LIMIT = 1_000
_REQUEST = (
    b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Ours:
    """What this protocol makes of some bytes."""

    def __init__(self) -> None:
        self.protocol = WebSocketProtocol(_LIMIT)
        self.heard: list[tuple[int, str | bytes]] = []
        self.close_sent: int | None = None

    def receive(self, piece: bytes) -> None:
        """Take some bytes."""
        self._take(read(self.protocol, piece))

    def close(self, code: int) -> None:
        """Close from this side."""
        self.protocol.outgoing += self.protocol.close(code, "")
        self._take(told(self.protocol))

    def _take(self, events: list[tuple[int, str | bytes]]) -> None:
        for opcode, payload in events:
            if opcode == Opcode.CLOSE:
                assert isinstance(payload, bytes)
                assert self.close_sent is None, "a second close frame"
                self.close_sent = int.from_bytes(payload[:2])
            else:
                assert self.close_sent is None, "something behind the close frame"
                self.heard.append((opcode, payload))

    @property
    def state(self) -> State:
        """Its state."""
        return self.protocol.state


class Theirs:
    """What the library makes of the same bytes, in the same terms."""

    def __init__(self) -> None:
        self.protocol = ServerProtocol(max_size=_LIMIT)
        self.protocol.receive_data(_REQUEST)
        request = self.protocol.events_received()[0]
        assert isinstance(request, Request)
        self.protocol.send_response(self.protocol.accept(request))
        self.protocol.data_to_send()
        self.heard: list[tuple[int, str | bytes]] = []
        self._kind, self._parts = Opcode.CONT, b""
        self._ended = False

    def receive(self, piece: bytes) -> None:
        """Take some bytes: one by one, so that a text that is not UTF-8 is known before what comes behind it."""
        for at in range(len(piece)):
            if self.state is not State.CLOSED:
                self._receive(piece[at : at + 1])

    def _receive(self, piece: bytes) -> None:
        was_open = self.protocol.state is reference_protocol.OPEN
        self.protocol.receive_data(piece)
        for frame in self.protocol.events_received():
            assert isinstance(frame, Frame)
            if not was_open or self._ended:
                continue
            if frame.opcode is Opcode.PING:
                self.heard.append((10, bytes(frame.data)))
            elif frame.opcode in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
                self._message(frame)

    def _message(self, frame: Frame) -> None:
        self._kind = frame.opcode or self._kind
        self._parts += frame.data
        if frame.fin:
            try:
                self.heard.append((int(self._kind), self._parts.decode() if self._kind is Opcode.TEXT else self._parts))
            except UnicodeDecodeError:  # as its connection does, one layer above
                self._ended = True
                self.protocol.fail(1007)
            self._parts = b""

    def close(self, code: int) -> None:
        """Close from this side."""
        if self.protocol.state is reference_protocol.OPEN:
            self.protocol.send_close(code)

    @property
    def close_sent(self) -> int | None:
        """The code of its close frame."""
        sent = self.protocol.close_sent
        return None if sent is None else 1000 if sent.code == NO_CODE else sent.code

    @property
    def close_code(self) -> int | None:
        """The code of the client's close frame, if the client was the first and its frame is in order."""
        received = self.protocol.close_rcvd
        first = self.protocol.close_rcvd_then_sent and self.protocol.parser_exc is None and not self._ended
        return received.code if isinstance(received, Close) and first else None

    @property
    def state(self) -> State:
        """Its state, by our names."""
        if self.protocol.state is reference_protocol.OPEN:
            return State.OPEN
        return State.CLOSED if self.protocol.eof_sent else State.CLOSING


def shortest_forms(wire: bytes) -> bytes:
    """The frames before the first one whose length is in a longer form than it needs."""
    at = 0
    while at + 2 <= len(wire):
        size, head = wire[at + 1] & 127, 2
        if size > 125:
            head, least = (4, 126) if size == 126 else (10, 65_536)
            size = int.from_bytes(wire[at + 2 : at + head])
            if at + head <= len(wire) and size < least:
                return wire[:at]
        at += head + size + (4 if wire[at + 1] & 128 else 0)
    return wire


def agree(pieces: list[bytes], close_at: int | None = None) -> None:
    """Give both the same pieces, and close both before the piece of that number; fail where they differ."""
    ours, theirs = Ours(), Theirs()
    for number, piece in enumerate(pieces):
        if number == close_at and theirs.state is ours.state:
            ours.close(4000)
            theirs.close(4000)
        theirs.receive(piece)
        ours.receive(piece)
        assert theirs.heard == ours.heard
        if theirs.state < ours.state:
            assert ours.close_sent in {1002, 4000}
        elif theirs.state > ours.state:
            assert theirs.close_sent in {1002, 1009, 4000}
    if theirs.state < ours.state:
        theirs.receive(bytes(2 * _LIMIT))  # the rest of the frame that is wrong
    elif theirs.state > ours.state:
        ours.receive(bytes(4))  # the mask of the frame that is wrong
    assert (theirs.heard, theirs.state) == (ours.heard, ours.state)
    if ours.close_sent == 1002 and theirs.close_sent == 1009:
        return  # a frame that is wrong twice
    assert theirs.close_sent == ours.close_sent
    assert theirs.close_code == ours.protocol.close_code
    if ours.protocol.failed is not None:
        assert ours.protocol.failed == ours.close_sent


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


cuts = st.lists(st.integers(1, 900), min_size=1, max_size=8)


@settings(deadline=None, max_examples=500)
@given(sent=st.lists(frames, max_size=8), sizes=cuts, close_at=st.none() | st.integers(0, 8))
@example(sent=[masked(1, b"before"), masked(8, b""), masked(1, b"after")], sizes=[900], close_at=None)
@example(sent=[masked(1, b"a"), masked(8, b"\x03\xe8bye")], sizes=[7], close_at=1)
@example(sent=[masked(1, b"a", final=False), masked(8, b"")], sizes=[900], close_at=None)
@example(sent=[masked(9, b"?"), masked(3, b"")], sizes=[3], close_at=2)
def test_any_frames(sent, sizes, close_at):
    """Frames that are well-formed or not, in any pieces, also while this side closes."""
    agree(list(cut(b"".join(sent), sizes)), close_at)


SEEDS = (
    masked(1, b"hello") + masked(9, b"?") + masked(8, (1000).to_bytes(2) + b"bye"),
    masked(1, b"he", final=False) + masked(10, b"") + masked(0, b"llo") + masked(2, b"\0" * 200),
    masked(2, b"x" * 126) + masked(1, "grüß".encode()) + masked(8, b""),
    masked(1, b"x" * 900, final=False) + masked(0, b"y" * 100) + masked(9, b"z" * 125) + masked(8, (4001).to_bytes(2)),
)


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_mutated_bytes(seed):
    """Streams with bytes changed, left out, doubled or cut off, in random pieces: a thousand of each."""
    chance = random.Random(seed)  # noqa: S311 -- the same each time
    for _ in range(1_000):
        wire = bytearray(SEEDS[seed])
        for _ in range(chance.randint(0, 3)):
            if len(wire) < 2:
                break
            at = chance.randrange(len(wire))
            match chance.randrange(5):
                case 0:
                    wire[at] = chance.randrange(256)
                case 1:
                    wire[at] ^= 1 << chance.randrange(8)
                case 2:
                    del wire[at]
                case 3:
                    wire[at:at] = wire[at : at + chance.randint(1, 20)]
                case 4:
                    del wire[at + 1 :]
        sizes = [chance.randint(1, 200) for _ in range(4)]
        agree(list(cut(shortest_forms(bytes(wire)), sizes)), chance.choice([None, None, 0, 1, 2]))
