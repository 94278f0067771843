"""Version 2 of the protocol: many rooms on one connection. Its events and commands are those of version 1, with `room`.

`docs/reference/wire.md` describes the same for authors of clients: change both together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from pychat.domain.errors import Close, Refused
from pychat.domain.model import Position
from pychat.domain.notices import Notice, UnreadRoom, Welcome, You
from pychat.protocol import v1
from pychat.protocol.v1 import (
    CommandFields,
    Fields,
    decode_members,
    decode_position,
    encode_member,
    encode_room,
    encode_you,
)

__all__ = [
    "COMMANDS",
    "PERSON_COMMANDS",
    "SUBPROTOCOL",
    "VERSION",
    "RoomToEnter",
    "decode_entered",
    "decode_entries",
    "decode_hello",
    "decode_unread",
    "encode",
    "encode_shared",
    "encode_unread",
    "exited_event",
    "unread_event",
    "welcome_event",
]

VERSION = 2
#: The subprotocol of plain WebSockets.
SUBPROTOCOL = "pychat.v2"

#: The commands of a person; the other commands go to one room.
PERSON_COMMANDS: CommandFields = {
    "enter": (("rooms",), "The rooms are missing: {“rooms”: [{“name”: “lobby”}]}.", ()),
    "exit": (("room",), "The room is missing: {“room”: “lobby”}.", ()),
    "rooms": ((), "", ("after", "limit")),
    "read": (("room", "seq"), "The room or the number is missing: {“room”: “lobby”, “seq”: 42}.", ()),
    "unread": ((), "", ("on",)),
    "direct": (("with",), "The ids of the others are missing: {“with”: [“user:42”]}.", ()),
    "block": (("member",), "The id of the member is missing: {“member”: “user:42”}.", ("on",)),
}

#: Every command. Those of version 1 have one more field, `room`.
COMMANDS: CommandFields = {**v1.COMMANDS, **PERSON_COMMANDS}


def encode(notice: Notice, room: str) -> tuple[str, Fields]:
    """The event for `notice` of the room of that name: its name and its fields."""
    if isinstance(notice, Welcome):
        entered = {"room": room, "title": notice.title, **encode_room(notice)}
        return "entered", {**entered, "access": notice.access.permissions}
    name, fields = v1.encode(notice)
    return name, {"room": room, **fields}


def encode_shared(notice: Notice, room: str) -> tuple[str, Fields]:
    """The same, for `strictjson.dumps` alone: the messages of a `Welcome` are encoded once for all newcomers."""
    return v1.encode_shared(notice, lambda each: encode(each, room))


def welcome_event(
    member_id: str, token: str | None, you: You | None, max_rooms: int, blocked: Iterable[str] = ()
) -> tuple[str, Fields]:
    """The first event on every connection. `token` is for guests, `you` for users with a login.

    `blocked` are the ids of the members whom this person has blocked.
    """
    fields: Fields = {"v": VERSION, "id": member_id, "limits": {"rooms": max_rooms}}
    if token is not None:
        fields["token"] = token
    if you is not None:
        fields["you"] = encode_you(you)
    if ids := sorted(blocked):
        fields["blocked"] = ids
    return "welcome", fields


def encode_unread(room: UnreadRoom) -> Fields:
    """The fields of a room in a list of what is unread; `direct` has the members of a direct room."""
    fields: Fields = {
        "name": room.name,
        "title": room.title,
        "seq": room.seq,
        "messages": room.messages,
        "mentions": room.mentions,
    }
    return {**fields, "direct": [encode_member(each) for each in room.people]} if room.people else fields


def unread_event(changed: Iterable[UnreadRoom], gone: Iterable[str]) -> tuple[str, Fields]:
    """The event for a person who watches what is unread: rooms that have changed, and rooms that are gone."""
    rooms = [encode_unread(room) for room in changed] + [{"name": name, "gone": True} for name in gone]
    return "unread", {"rooms": rooms}


def decode_entered(fields: Mapping[str, Any]) -> Welcome:
    """The welcome to a room, from the event `entered`."""
    welcome = v1.decode("welcome", {**fields, "room": {"name": fields["room"], "title": fields["title"]}})
    if not isinstance(welcome, Welcome):
        raise TypeError(welcome)
    return welcome


def decode_unread(fields: Mapping[str, Any]) -> UnreadRoom | str:
    """A room in a list of what is unread; only its name if it is gone."""
    name = fields["name"]
    if not isinstance(name, str):
        raise TypeError(name)
    if fields.get("gone") is True:
        return name
    seq, messages, mentions = (int(fields[each]) for each in ("seq", "messages", "mentions"))
    return UnreadRoom(name, str(fields["title"]), seq, messages, mentions, decode_members(fields.get("direct", ())))


def exited_event(room: str, why: Close) -> tuple[str, Fields]:
    """The event for a person whom the server ends one room for."""
    return "exited", {"room": room, **v1.close_event(why)[1]}


class RoomToEnter(NamedTuple):
    """A room that somebody wants to enter."""

    room: str
    #: The last position of the client in that room.
    since: Position | None


def decode_entries(rooms: list[Any]) -> list[RoomToEnter]:
    """The rooms of the command `enter`. Raise `Refused` if one of them is malformed, or there twice."""
    found: dict[str, RoomToEnter] = {}
    for each in rooms:
        name = each.get("name") if isinstance(each, dict) else None
        if not isinstance(name, str):
            raise Refused("bad_request", "Each of “rooms” is an object with a name: {“name”: “lobby”}.")
        if name in found:
            raise Refused("bad_request", "The same room is in “rooms” twice.")
        found[name] = RoomToEnter(name, decode_position(each.get("since")))
    return list(found.values())


def decode_hello(fields: Fields) -> str | None:
    """The token of the first message on a plain WebSocket. Raise `Refused` for another message."""
    if fields.get("type") != "hello":
        raise Refused("bad_request", "The first message is {“type”: “hello”}, with your token if you have one.")
    token = fields.get("token")
    if not (token is None or isinstance(token, str)):
        raise Refused("bad_request", "“token” must be a text.")
    return token
