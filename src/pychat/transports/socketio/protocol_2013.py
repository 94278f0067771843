"""The protocol of 2013: `message`, `setPseudo`, `nbUsers`, and the offsets of clients that recover."""

from __future__ import annotations

from typing import Any

from pychat.domain.model import Kicked, Message, Position, iso
from pychat.domain.notices import Notice, Presence, PutOut
from pychat.net.websocket.frames import Frame
from pychat.protocol.v1 import encode
from pychat.room.backend import RoomBackend
from pychat.transports.socketio.client import encode_event

__all__ = ["Encoder2013", "RecoveringEncoder2013", "decode_offset", "encode_2013", "encode_offset"]


class Encoder2013:
    """The words of 2013: `message` and `nbUsers`."""

    join = staticmethod(Frame.join)

    def encode(self, notice: Notice) -> Frame | None:
        """Encode a notice; `None` sends nothing."""
        event = encode_2013(notice)
        return _encode_error(notice) if event is None else encode_event(*event[:2])


class RecoveringEncoder2013:
    """The same for clients that can recover: they keep the string that ends each event, and say it on coming back."""

    join = staticmethod(Frame.join)

    def __init__(self, room: RoomBackend) -> None:
        """One for each room: its frames are encoded once for all clients of this kind."""
        self._room = room

    def encode(self, notice: Notice) -> Frame | None:
        """Encode a notice; `None` sends nothing."""
        event = encode_2013(notice)
        if event is None:
            return _encode_error(notice)
        name, argument, seq, event_id = event
        # The epoch of now: it may be another than that of the moment in which the client came in.
        return encode_event(name, argument, encode_offset(self._room.epoch, seq, event_id))


def encode_2013(notice: Notice) -> tuple[str, dict[str, Any], int, str] | None:
    """Encode a notice as an event, with the number and the id of its position. `None` if 2013 has no word for it."""
    match notice:
        case Message():
            fields = {
                "date": iso(notice.date),
                "pseudo": notice.author.name,
                "message": notice.text,
                "id": notice.id,
                "seq": notice.seq,
            }
            return None if notice.deleted else ("message", fields, notice.seq, notice.id)
        case Presence() if notice.counted:
            return "nbUsers", {"nb": notice.here}, notice.position.seq, notice.position.id
    return None


def _encode_error(notice: Notice) -> Frame | None:
    """The event that says why somebody is put out, which has no position; `None` for other notices."""
    return encode_event(*encode(notice)) if isinstance(notice, Kicked | PutOut) else None


def encode_offset(epoch: str, seq: int, event_id: str) -> str:
    """The string of a position, which ends each event: a client that returns says the last one."""
    return f"{epoch}~{seq}.{event_id}" if event_id else f"{epoch}~{seq}"


def decode_offset(offset: object) -> Position | None:
    """The position in such a string; `None` for anything else."""
    if isinstance(offset, str):
        epoch, _, rest = offset.rpartition("~")
        seq, _, event_id = rest.partition(".")
        if seq.isascii() and seq.isdigit() and len(seq) < 19:
            return Position(epoch, int(seq), event_id)
    return None
