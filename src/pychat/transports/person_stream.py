"""The event stream of a person in many rooms: version 2 of the protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pychat.domain.errors import Close
from pychat.domain.model import LogEvent, Position
from pychat.domain.notices import Notice, Welcome
from pychat.net.http.stream import Chunk, ResponseStream
from pychat.net.slow_readers.backpressure import wait_for_reader
from pychat.protocol.v1 import close_event
from pychat.protocol.v2 import encode_shared
from pychat.room.backend import RoomBackend
from pychat.room.connection import Encoder
from pychat.transports.event_stream import HEARTBEAT, decode_offset, encode_event, encode_offset
from pychat.transports.person import Encoders

__all__ = ["PersonStream", "decode_room_offset"]


def decode_room_offset(offset: str) -> tuple[str, Position | None]:
    """The room and the position behind the `id` of an event: `room:epoch:seq.id`."""
    room, _, rest = offset.partition(":")
    return room, decode_offset(rest)


class _RoomEncoder:
    """One for all streams of a room. The `id` of an event is its room and its position there."""

    join = staticmethod(Chunk.join)

    def __init__(self, room: RoomBackend) -> None:
        self._room = room

    def encode(self, notice: Notice) -> Chunk:
        position: Position | None = None
        if isinstance(notice, Welcome):
            position = notice.position
        elif isinstance(notice, LogEvent):
            # The epoch of now: it may be another than that of the moment in which the stream began.
            position = Position(self._room.position.epoch, notice.seq, notice.id)
        name, fields = encode_shared(notice, self._room.name)
        return encode_event(name, fields, None if position is None else f"{self._room.name}:{encode_offset(position)}")


_ROOM_ENCODERS = Encoders(_RoomEncoder)


class PersonStream:
    """A stream, as the rooms of a person share it."""

    #: Commands come on other connections, so the person's own messages are sent too.
    echo = True

    def __init__(self, response: ResponseStream) -> None:
        self._response = response
        self._ended = False
        #: Sends a frame of a room.
        self.send: Callable[[Any], None] = response.send

    @staticmethod
    def encoder_of(room: RoomBackend) -> Encoder:
        """The encoder of a room's frames."""
        return _ROOM_ENCODERS[room]

    def tell(self, name: str, fields: Mapping[str, Any]) -> None:
        """Tell this person something."""
        self._response.send(encode_event(name, fields))

    def flush(self) -> None:
        """Nothing waits."""

    async def wait_for_reader(self) -> None:
        """Wait while much is unread."""
        await wait_for_reader(self)

    @property
    def buffered(self) -> int:
        """Bytes that wait for the client; 0 after the end."""
        return 0 if self._ended else self._response.buffered

    def beat(self) -> None:
        """Show everybody on the way that the stream lives."""
        self._response.send(HEARTBEAT)

    def close(self, why: Close) -> None:
        """End the stream, telling why."""
        self._ended = True
        self._response.end(encode_event(*close_event(why)))

    def end(self) -> None:
        """End the stream of a person who leaves."""
        self._ended = True
        self._response.end(HEARTBEAT)

    async def gone(self) -> None:
        """Wait until the client has gone, or the stream has ended."""
        await self._response.gone()
        self._ended = True
