"""Events as they stand in Redis: JSON, one line each. Numbers are kept beside them, not in them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pychat.domain.model import (
    Away,
    Deleted,
    Edited,
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
    Typing,
)
from pychat.domain.revision import revise

__all__ = ["decode", "decode_log", "decode_message", "encode", "member"]

_KINDS: dict[str, type[Event]] = {
    kind.__name__.lower(): kind
    for kind in (Message, Edited, Deleted, Reacted, Joined, Renamed, Away, Left, Kicked, Typing)
}


def encode(event: Event) -> str:
    """`event` as a line of text, without its number."""
    told: dict[str, Any] = {"kind": type(event).__name__.lower()}
    for name in event.__slots__:
        value = getattr(event, name)
        match value:
            case Member():
                told[name] = [value.id, value.name, value.roles] if value.roles else [value.id, value.name]
            case Quote():
                told[name] = [value.seq, value.author, value.text]
            case None | False | ():
                pass  # left out, as most are most of the time
            case _ if name != "seq":
                told[name] = value
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def decode(text: bytes | str, seq: int = 0) -> Event:
    """The event that `encode` made `text` of; `seq` is its number, if it has one."""
    fields = json.loads(text)
    kind = _KINDS[fields.pop("kind")]
    for name in ("author", "member"):
        if name in fields:
            fields[name] = member(*fields[name])
    if "reply" in fields:
        fields["reply"] = Quote(*fields["reply"])
    if "reactions" in fields:
        fields["reactions"] = tuple((emoji, tuple(ids)) for emoji, ids in fields["reactions"])
    if kind in (Reacted, Typing):
        fields.setdefault("on", False)
    if seq:
        fields["seq"] = seq
    return kind(**fields)


def member(id: str, name: str, roles: Iterable[str] = ()) -> Member:  # noqa: A002 -- the field's name
    """A member as they stand in Redis: roles only where there are any."""
    return Member(id, name, tuple(roles))


def decode_log(text: bytes | str, seq: int) -> LogEvent:
    """The same, of an event that stands in the log."""
    event = decode(text, seq)
    assert isinstance(event, LogEvent)  # noqa: S101 -- we have written it
    return event


def decode_message(text: bytes, seq: int, fate: bytes) -> Message:
    """A message as it stands: as it was first, and a line for each revision, or for all up to there."""
    message = decode_log(text, seq)
    assert isinstance(message, Message)  # noqa: S101 -- we have written it
    for line in fate.splitlines() if fate else ():
        event = decode_log(line, 0)
        message = replace(event, seq=seq) if isinstance(event, Message) else revise(message, event)
    return message
