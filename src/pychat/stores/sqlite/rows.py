"""Rows: how events and messages lie in the tables, and come out of them as they were."""

from __future__ import annotations

from typing import Any

from pychat.model import Deleted, Edited, LogEvent, Member, Message, Quote, Reacted
from pychat.strictjson import dumps, loads

__all__ = ["EVENT", "MESSAGE", "ROOM_SHIFT", "event", "message", "place", "revision", "row"]

#: Room and number are one integer, the place: reading a room from a number on is reading a table from a key on.
#: 2**40 events fit a room, and 2**23 rooms a database.
ROOM_SHIFT = 40

#: The columns of an event, as `event` takes them.
EVENT = "place, kind, id, author, name, date, target, text, reply"
#: The columns of a message as it stands, as `message` takes them, from `events LEFT JOIN revised`.
MESSAGE = (
    "place, kind, id, author, name, date, target, events.text, reply, "
    "revised.text, revised.edited, revised.deleted, revised.reactions"
)


def place(room: int, seq: int) -> int:
    """Where event `seq` of room number `room` lies."""
    return room << ROOM_SHIFT | seq


def row(event: LogEvent) -> tuple[Any, ...]:
    """The columns of `event`, all but the first, its place."""
    about = event.id, event.author.id, event.author.name, event.date
    match event:
        case Message(text=text, reply=reply):
            quote = None if reply is None else dumps([reply.seq, reply.author, reply.text])
            return "message", *about, None, text, quote
        case Edited(target=target, text=text):
            return "edited", *about, target, text, None
        case Deleted(target=target):
            return "deleted", *about, target, None, None
        case Reacted(target=target, emoji=emoji, on=on):
            return "reacted" if on else "unreacted", *about, target, emoji, None


def event(columns: tuple[Any, ...]) -> LogEvent:
    """What was stored as `columns`."""
    place, kind, id, author, name, date, target, text, reply = columns  # noqa: A001 -- as the column is called
    who, seq = Member(author, name), place & (1 << ROOM_SHIFT) - 1
    match kind:
        case "message":
            return Message(id, who, text, date, seq, None if reply is None else Quote(*loads(reply, surrogates=True)))
        case "edited":
            return Edited(id, who, target, text, date, seq)
        case "deleted":
            return Deleted(id, who, target, date, seq)
        case _:
            return Reacted(id, who, target, text, kind == "reacted", date, seq)


def message(columns: tuple[Any, ...]) -> Message:
    """A message as it stands, from what was said and what has become of it."""
    said = event(columns[:9])
    assert isinstance(said, Message)  # noqa: S101 -- the query takes nothing else
    text, edited, deleted, reactions = columns[9:]
    if text is None:
        return said
    return Message(
        said.id,
        said.author,
        text,
        said.date,
        said.seq,
        said.reply,
        edited,
        bool(deleted),
        tuple((emoji, tuple(ids)) for emoji, ids in loads(reactions)),
    )


def revision(message: Message) -> tuple[Any, ...]:
    """The columns of `revised` for `message` as it stands now, all but the first, its place."""
    return message.text, message.edited, message.deleted, dumps(message.reactions)
