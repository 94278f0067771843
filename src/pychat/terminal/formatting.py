"""Formats events as text for people, or as one JSON object a line in the form of the protocol. Pure."""

from __future__ import annotations

from datetime import datetime

from pychat.client import ClientEvent
from pychat.domain.model import Deleted, Edited, Joined, Left, Message, Reacted, Renamed, Whisper
from pychat.domain.strictjson import dumps
from pychat.domain.texts import action
from pychat.protocol.v1 import encode, encode_member
from pychat.terminal.escaping import safe, safe_json

__all__ = ["as_json", "as_text", "message_as_json"]


def as_text(event: ClientEvent, now: float) -> str | None:
    """`12:03 Ada: hi`, or `12:03 * Ada waves`, in local time; more lines of a text are indented below.

    Return `None` for events without a line. `now` is the date of events that have none.
    """
    match event:
        case Message(deleted=True):
            said = f"{event.author.name} (deleted)"
        case Message():
            to = "" if event.reply is None else f" (to {event.reply.author})"
            does, edited = action(event.text), " (edited)" if event.edited else ""
            said = f"{event.author.name}{to}: {event.text}{edited}"
            if does is not None:
                said = f"* {event.author.name}{to} {does}{edited}"
        case Edited():
            said = f"{event.author.name} edited: {event.text}"
        case Deleted():
            said = f"{event.author.name} deleted a message"
        case Whisper():
            said = f"{event.author.name} (only to you): {event.text}"
        case Joined():
            said = f"* {event.member.name} joined"
        case Left():
            said = f"* {event.member.name} left"
        case Renamed():
            said = f"* {event.before} is now {event.member.name}"
        case _:
            return None
    when = datetime.fromtimestamp(getattr(event, "date", now)).astimezone()
    first, *more = safe(said).split("\n")
    return "\n".join([f"{when:%H:%M} {first}", *(f"      {line}" for line in more)])


def as_json(event: ClientEvent, here: int) -> str | None:
    """Return the event as in the protocol, with its `type`; joins and leaves are a `presence`. `None` for others."""
    match event:
        case Message() | Edited() | Deleted() | Reacted() | Whisper():
            name, fields = encode(event)
            return safe_json(dumps({"type": name, **fields}))
        case Joined():
            return _presence(here, joined=[encode_member(event.member.bare)])
        case Left():
            return _presence(here, left=[event.member.id])
        case Renamed():
            return _presence(here, renamed=[encode_member(event.member.bare)])
    return None


def message_as_json(message: Message) -> str:
    """Return a message as in the protocol."""
    return as_json(message, 0) or ""


def _presence(here: int, **changed: object) -> str:
    return safe_json(dumps({"type": "presence", "here": here, **changed}))
