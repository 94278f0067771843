"""The protocol of 2013: `message`, `setPseudo`, `nbUsers`, and the offsets of clients that recover."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pychat.domain.model import Message, Position, iso
from pychat.domain.notices import Notice, Presence
from pychat.net.websocket.frames import Frame
from pychat.room.backend import RoomBackend
from pychat.transports.socketio.client import encode_event

__all__ = ["Encoder2013", "RecoveringEncoder2013", "decode_offset", "encode_2013", "encode_offset"]


class Encoder2013:
    """The words of 2013: `message` and `nbUsers`."""

    join = staticmethod(Frame.joined)

    def encode(self, notice: Notice) -> Frame | None:
        """Encode a notice; `None` sends nothing."""
        told = encode_2013(notice)
        return None if told is None else encode_event(*told[:2])


class RecoveringEncoder2013:
    """The same for clients that can recover: they keep the string that ends each event, and say it on coming back."""

    join = staticmethod(Frame.joined)

    def __init__(self, room: RoomBackend) -> None:
        self._room = room

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecoveringEncoder2013) and other._room is self._room

    def __hash__(self) -> int:
        return hash(id(self._room))

    def encode(self, notice: Notice) -> Frame | None:
        """Encode a notice; `None` sends nothing."""
        told = encode_2013(notice)
        if told is None:
            return None
        event, argument, position = told
        # The epoch of now: it may be another than that of the moment in which the client came in.
        return encode_event(event, argument, encode_offset(replace(position, epoch=self._room.position.epoch)))


def encode_2013(notice: Notice) -> tuple[str, dict[str, Any], Position] | None:
    """Encode a notice as an event, with its position. `None` for what 2013 has no word for."""
    match notice:
        case Message():
            told = {
                "date": iso(notice.date),
                "pseudo": notice.author.name,
                "message": notice.text,
                "id": notice.id,
                "seq": notice.seq,
            }
            return None if notice.deleted else ("message", told, Position("", notice.seq, notice.id))
        case Presence() if notice.counted:
            return "nbUsers", {"nb": notice.here}, notice.position
    return None


def encode_offset(position: Position) -> str:
    """The string that ends each event: a client that returns says the last one."""
    return f"{position.epoch}~{position.seq}{position.id and f'.{position.id}'}"


def decode_offset(offset: object) -> Position | None:
    """The position in such a string; `None` for anything else."""
    if isinstance(offset, str):
        epoch, _, rest = offset.rpartition("~")
        seq, _, event_id = rest.partition(".")
        if seq.isascii() and seq.isdigit() and len(seq) < 19:
            return Position(epoch, int(seq), event_id)
    return None
