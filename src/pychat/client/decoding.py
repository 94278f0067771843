"""Version 1 of the wire as a client hears it: objects of JSON made into the nouns of `pychat.domain.model`.

Whatever a server leaves out or gets wrong raises `KeyError`, `TypeError` or `ValueError`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from pychat.client.snapshot import RoomSnapshot
from pychat.domain.model import Deleted, Edited, LogEvent, Member, Message, Quote, Reacted

__all__ = ["VERSION", "entered", "log_event", "member", "members", "message", "quoting"]

VERSION = 1

_Object = Mapping[str, Any]


def member(told: _Object) -> Member:
    """Somebody with a nickname."""
    return Member(_text(told["id"]), _text(told["name"]), tuple(_text(role) for role in told.get("roles", ())))


def members(told: Iterable[_Object]) -> tuple[Member, ...]:
    """Several of them."""
    return tuple(member(each) for each in told)


def message(told: _Object) -> Message:
    """A message as it stands."""
    reply, edited = told.get("reply"), told.get("edited")
    return Message(
        id=_text(told["id"]),
        author=member(told["author"]),
        text=_text(told["text"]),
        date=_date(told["date"]),
        seq=_number(told["seq"]),
        reply=None if reply is None else Quote(_number(reply["seq"]), _text(reply["author"]), _text(reply["text"])),
        edited=None if edited is None else _date(edited),
        deleted=told.get("deleted") is True,
        reactions=tuple(
            (emoji, tuple(_text(each) for each in ids)) for emoji, ids in dict(told.get("reactions", {})).items()
        ),
    )


def quoting(said: Message, answered: Quote) -> Message:
    """`said` as a reply."""
    return replace(said, reply=answered)


def entered(told: _Object, *, missed: bool) -> RoomSnapshot:
    """The room that a `welcome` tells of."""
    limits = told.get("limits", {})
    return RoomSnapshot(
        room=_text(told["room"]["name"]),
        title=_text(told["room"]["title"]),
        messages=tuple(message(each) for each in told["messages"]),
        more=told.get("more") is True,
        missed=missed,
        longest_name=_number(limits.get("name", 32)),
        longest_text=_number(limits.get("text", 2_000)),
        epoch=_text(told["epoch"]),
    )


def log_event(name: str, told: _Object) -> LogEvent | None:
    """The event of the room's log that has this name on the wire; `None` for another."""
    if name == "message":
        return message(told)
    if name not in ("edited", "deleted", "reacted"):
        return None
    made: dict[str, Any] = {
        "id": _text(told["id"]),
        "author": member(told["author"]),
        "target": _number(told["target"]),
        "date": _date(told["date"]),
        "seq": _number(told["seq"]),
    }
    if name == "edited":
        return Edited(**made, text=_text(told["text"]))
    if name == "deleted":
        return Deleted(**made)
    return Reacted(**made, emoji=_text(told["emoji"]), on=told["on"] is True)


def _date(told: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(told).timestamp()


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be a text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} should be a whole number")
    return value
