"""The form of events in Redis: JSON, one line each. The sequence number is stored beside the line, not in it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pychat.domain.model import (
    Away,
    Deleted,
    Edited,
    Erased,
    Event,
    Joined,
    Kicked,
    Left,
    LogEvent,
    Member,
    Message,
    Quote,
    Reacted,
    Renamed,
    RoomDeleted,
    Typing,
    Whisper,
)
from pychat.domain.moderation import Moderated
from pychat.domain.revision import revise
from pychat.stores.moderation_codec import from_fields, to_fields

__all__ = ["Entry", "decode", "decode_log", "decode_message", "encode", "member"]

#: What the feed of a room holds.
Entry = Event | Erased | RoomDeleted | Moderated

_KINDS: dict[str, type[Entry]] = {
    kind.__name__.lower(): kind
    for kind in (
        Message,
        Edited,
        Deleted,
        Reacted,
        Joined,
        Renamed,
        Away,
        Left,
        Kicked,
        Typing,
        Whisper,
        Erased,
        RoomDeleted,
        Moderated,
    )
}
_NOT_STORED = {"seq", "room"}  # the store has them already


def encode(event: Entry) -> str:
    """Encode `event` as one line of JSON, without its number."""
    fields: dict[str, Any] = {"kind": type(event).__name__.lower()}
    if isinstance(event, Moderated):
        fields |= to_fields(event)
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
    for name in event.__slots__:
        value = getattr(event, name)
        match value:
            case Member():
                fields[name] = [value.id, value.name, value.roles] if value.roles else [value.id, value.name]
            case Quote():
                fields[name] = [value.seq, value.author, value.text]
            case None | False | ():
                pass  # the default; left out to save space
            case _ if name not in _NOT_STORED:
                fields[name] = value
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def decode(text: bytes | str, seq: int = 0) -> Entry:
    """Decode a line that `encode` made; `seq` is the event's number, if it has one."""
    fields = json.loads(text)
    kind = _KINDS[fields.pop("kind")]
    if kind is Moderated:
        return from_fields(fields)
    for name in ("author", "member"):
        if name in fields and kind is not Erased:  # which has only an id
            fields[name] = member(*fields[name])
    if "reply" in fields:
        fields["reply"] = Quote(*fields["reply"])
    if "reactions" in fields:
        fields["reactions"] = tuple((emoji, tuple(ids)) for emoji, ids in fields["reactions"])
    if "mentions" in fields:
        fields["mentions"] = tuple(fields["mentions"])
    if kind is Erased:
        fields["seqs"] = tuple(fields.get("seqs", ()))
    if kind in (Reacted, Typing):
        fields.setdefault("on", False)
    if seq:
        fields["seq"] = seq
    return kind(**fields)


def member(id: str, name: str, roles: Iterable[str] = ()) -> Member:  # noqa: A002 -- the field's name
    """Build a member from the fields in Redis; `roles` are absent if there are none."""
    return Member(id, name, tuple(roles))


def decode_log(text: bytes | str, seq: int) -> LogEvent:
    """Decode an event of the log."""
    event = decode(text, seq)
    assert isinstance(event, LogEvent)  # noqa: S101 -- pychat wrote it
    return event


def decode_message(text: bytes, seq: int, revisions: bytes) -> Message:
    """Decode a message and apply its `revisions`: one line each, or one line for all of them after a compaction."""
    message = decode_log(text, seq)
    assert isinstance(message, Message)  # noqa: S101 -- pychat wrote it
    for line in revisions.splitlines() if revisions else ():
        event = decode_log(line, 0)
        message = replace(event, seq=seq) if isinstance(event, Message) else revise(message, event)
    return message
