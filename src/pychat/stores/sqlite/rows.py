"""Converts events and messages to rows and back."""

from __future__ import annotations

import sqlite3
from typing import Any

from pychat.domain.model import Deleted, Edited, LogEvent, Member, Message, Quote, Reacted
from pychat.domain.strictjson import dumps, loads

__all__ = ["EVENT", "MESSAGE", "ROOM_SHIFT", "event", "message", "place", "revision", "row", "seq"]

#: The key of an event, its place, is one integer of room number and sequence number: a range of a room is a range of
#: keys. A room can have 2**40 events, and a database 2**23 rooms.
ROOM_SHIFT = 40
_FIRST, _LAST = -62_135_596_800.0, 253_402_300_800.0  # the range of `datetime`: the years 1 to 9999

#: The columns of an event, as `event` takes them.
EVENT = "place, kind, id, author, name, date, target, text, reply, mentions"
#: The columns of a message as it stands, as `message` takes them, from `events LEFT JOIN revised`.
MESSAGE = (
    "place, kind, id, author, name, date, target, events.text, reply, events.mentions, "
    "revised.text, revised.edited, revised.deleted, revised.reactions, revised.mentions"
)


def place(room: int, seq: int) -> int:
    """Return the key of event `seq` of room number `room`."""
    return room << ROOM_SHIFT | seq


def seq(place: int) -> int:
    """Return the number of the event at a place."""
    return place & (1 << ROOM_SHIFT) - 1


def row(event: LogEvent) -> tuple[Any, ...]:
    """Return the columns of `event` after the first, its place."""
    about = event.id, event.author.id, event.author.name, event.date
    match event:
        case Message(text=text, reply=reply, mentions=mentions):
            quote = None if reply is None else dumps([reply.seq, reply.author, reply.text])
            return "message", *about, None, text, quote, dumps(mentions) if mentions else None
        case Edited(target=target, text=text, mentions=mentions):
            return "edited", *about, target, text, None, dumps(mentions) if mentions else None
        case Deleted(target=target):
            return "deleted", *about, target, None, None, None
        case Reacted(target=target, emoji=emoji, on=on):
            return "reacted" if on else "unreacted", *about, target, emoji, None, None


def event(columns: tuple[Any, ...]) -> LogEvent:
    """Return the event that was stored as `columns`. Raise `sqlite3.DatabaseError` if they are invalid."""
    place, kind, id, author, name, date, target, text, reply, mentions = columns  # noqa: A001 -- as the column is called
    if not (type(id) is type(author) is type(name) is str and type(date) is float and _FIRST < date < _LAST):
        raise _damaged(place)
    who, seq = Member(author, name), place & (1 << ROOM_SHIFT) - 1
    is_text = type(text) is str
    match kind:
        case "message" if is_text:
            quote = None if reply is None else _quote(place, reply)
            return Message(id, who, text, date, seq, quote, mentions=_mentions(place, mentions))
        case "message" if text is None:
            return Message(id, who, "", date, seq, deleted=True)  # erased
        case "edited" if is_text and type(target) is int:
            return Edited(id, who, target, text, date, seq, _mentions(place, mentions))
        case "deleted" if type(target) is int:
            return Deleted(id, who, target, date, seq)
        case "reacted" | "unreacted" if is_text and type(target) is int:
            return Reacted(id, who, target, text, kind == "reacted", date, seq)
    raise _damaged(place)


def message(columns: tuple[Any, ...]) -> Message:
    """Return a message as it stands, from its event and its revision."""
    said = event(columns[:10])
    text, edited, deleted, reactions, mentions = columns[10:]
    if text is None and isinstance(said, Message):
        return said
    if not (isinstance(said, Message) and type(text) is str and type(edited) in (float, type(None))):
        raise _damaged(columns[0])
    return Message(
        said.id,
        said.author,
        text,
        said.date,
        said.seq,
        said.reply,
        edited,
        bool(deleted),
        _reactions(columns[0], reactions),
        _mentions(columns[0], mentions),
    )


def _quote(place: int, reply: Any) -> Quote:  # noqa: ANN401 -- what stands there
    match _json(place, reply):
        case [int() as seq, str() as author, str() as text]:
            return Quote(seq, author, text)
    raise _damaged(place)


def _reactions(place: int, reactions: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:  # noqa: ANN401 -- same
    match _json(place, reactions):
        case [*found] if all(_is_reaction(each) for each in found):
            return tuple((emoji, tuple(ids)) for emoji, ids in found)
    raise _damaged(place)


def _mentions(place: int, mentions: Any) -> tuple[str, ...]:  # noqa: ANN401 -- same
    if mentions is None:
        return ()
    match _json(place, mentions):
        case [*ids] if all(isinstance(each, str) for each in ids):
            return tuple(ids)
    raise _damaged(place)


def _is_reaction(found: object) -> bool:
    match found:
        case [str(), [*ids]]:
            return all(isinstance(each, str) for each in ids)
    return False


def _json(place: int, text: Any) -> Any:  # noqa: ANN401 -- same
    try:
        return loads(text, surrogates=True)
    except (TypeError, ValueError):
        raise _damaged(place) from None


def _damaged(place: Any) -> sqlite3.DatabaseError:  # noqa: ANN401 -- same
    return sqlite3.DatabaseError(f"what stands at place {place} is not as pychat wrote it")


def revision(message: Message) -> tuple[Any, ...]:
    """Return the columns of table `revised` for `message` after the first, its place."""
    mentions = dumps(message.mentions) if message.mentions else None
    return message.text, message.edited, message.deleted, dumps(message.reactions), mentions
