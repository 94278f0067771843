"""Version 1 of the protocol: encodes and decodes events, commands and answers as names and JSON objects.

The server encodes events and decodes commands; `pychat.Client` decodes events. `docs/reference/wire.md` describes the
same for authors of clients: change both together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, assert_never

from pychat.domain import strictjson
from pychat.domain.access import PERMISSIONS, Access
from pychat.domain.actions import accept_action
from pychat.domain.errors import REFUSALS, Close, Refused
from pychat.domain.model import (
    Deleted,
    Edited,
    Kicked,
    LogEvent,
    Member,
    Message,
    Position,
    Quote,
    Reacted,
    Typing,
    Whisper,
    iso,
)
from pychat.domain.notices import (
    AccessChanged,
    HeldDecided,
    Messages,
    Notice,
    Presence,
    PutOut,
    QueueChanged,
    RoomChanged,
    Welcome,
    You,
)
from pychat.protocol.moderation import (
    decode_mute,
    decode_queue,
    decode_role,
    decode_settings,
    encode_queue,
    encode_settings,
    encode_standing,
)
from pychat.protocol.told import encode_error

__all__ = [
    "COMMANDS",
    "PAGE_BYTES",
    "SUBPROTOCOL",
    "VERSION",
    "CommandFields",
    "close_event",
    "decode",
    "decode_command",
    "decode_member",
    "decode_members",
    "decode_message",
    "decode_position",
    "encode",
    "encode_member",
    "encode_message",
    "encode_page",
    "encode_position",
    "encode_refusal",
    "encode_room",
    "encode_shared",
    "encode_stored",
    "encode_you",
    "refusal_event",
]

VERSION = 1
#: The subprotocol of plain WebSockets.
SUBPROTOCOL = "pychat.v1"
#: The maximum size of a page of history, except of a page with a single message.
PAGE_BYTES = 256 * 1024

_MAX_NUMBER = 2**53  # larger integers are not exact in JavaScript

Fields = dict[str, Any]
_Received = Mapping[str, Any]
_Encode = Callable[[Notice], tuple[str, Fields]]


# Events, encoded


def encode(notice: Notice) -> tuple[str, Fields]:
    """The event for `notice`: its name and its fields."""
    match notice:
        case Message():
            return "message", encode_message(notice)
        case Edited():
            mentions = {"mentions": list(notice.mentions)} if notice.mentions else {}
            return "edited", {**_revision(notice), "text": notice.text, **mentions}
        case Deleted():
            return "deleted", _revision(notice)
        case Reacted():
            return "reacted", {**_revision(notice), "emoji": notice.emoji, "on": notice.on}
        case Presence():
            return "presence", _presence(notice)
        case Typing():
            return "typing", {"member": encode_member(notice.member), "on": notice.on}
        case Kicked():
            return "error", Refused("kicked", notice.text).as_dict()
        case Whisper():
            return "whisper", _whisper(notice)
        case Welcome():
            return "welcome", _welcome(notice)
        case AccessChanged():
            return "access", {"access": notice.access.permissions, **encode_standing(notice)}
        case RoomChanged():
            return "room", encode_settings(notice)
        case QueueChanged():
            return "queue", encode_queue(notice)
        case HeldDecided():
            return "held", {"id": notice.id, "state": notice.state, "reason": notice.reason}
        case PutOut():
            return "error", notice.error.as_dict()
        case _:
            assert_never(notice)


def encode_shared(notice: Notice, encode: _Encode = encode) -> tuple[str, Fields]:
    """The same, for `strictjson.dumps` alone: the messages of a `Welcome` are encoded once for all newcomers.

    `encode` is that of another version.
    """
    if not isinstance(notice, Welcome) or not isinstance(notice.messages, Messages):
        return encode(notice)
    messages = notice.messages  # a room gives the same object until its messages change
    if messages.finished is None:
        messages.finished = strictjson.Finished([encode_message(each) for each in messages])
    name, fields = encode(replace(notice, messages=()))
    return name, {**fields, "messages": messages.finished.place}


def close_event(why: Close) -> tuple[str, Fields]:
    """The event before the server closes a connection, with the reason."""
    fields: Fields = {"code": why.code, "reason": why.reason, "reconnect": why.reconnect, "text": why.text}
    if why is Close.FLOODING:
        fields["retry_after"] = REFUSALS["flooding"].retry_seconds
    return "bye", fields


def refusal_event(refused: Refused) -> tuple[str, Fields]:
    """The event for a visitor who is refused entry, before the connection closes with `refused.kind.close`."""
    name, fields = close_event(refused.kind.close)
    if fields["reconnect"]:
        fields["retry_after"] = round(refused.retry_seconds, 3)
    return name, {**fields, "text": refused.text, "error": encode_error(refused)}


def encode_member(member: Member) -> Fields:
    """The fields of a member; `roles` only if there are any."""
    fields: Fields = {"id": member.id, "name": member.name}
    return {**fields, "roles": list(member.roles)} if member.roles else fields


def encode_message(message: Message) -> Fields:
    """The fields of a message as it stands, without those that do not apply to it."""
    fields = encode_stored(message)
    fields["author"] = encode_member(message.author)
    fields["text"] = message.text
    if message.reply is not None:
        fields["reply"] = {"seq": message.reply.seq, "author": message.reply.author, "text": message.reply.text}
    if message.edited is not None:
        fields["edited"] = iso(message.edited)
    if message.deleted:
        fields["deleted"] = True
    if message.mentions:
        fields["mentions"] = list(message.mentions)
    if message.reactions:
        fields["reactions"] = {emoji: list(ids) for emoji, ids in message.reactions}
    return fields


def _revision(event: Edited | Deleted | Reacted) -> Fields:
    return {**encode_stored(event), "target": event.target, "author": encode_member(event.author)}


def _whisper(whisper: Whisper) -> Fields:
    author = encode_member(whisper.author)
    return {"id": whisper.id, "date": iso(whisper.date), "author": author, "text": whisper.text}


def _presence(presence: Presence) -> Fields:
    fields: Fields = {"here": presence.here, "listed": presence.listed}
    for name in ("joined", "renamed", "members"):
        members = getattr(presence, name)
        if members or (name == "members" and members is not None):
            fields[name] = [encode_member(member) for member in members]
    if presence.left:
        fields["left"] = [member.id for member in presence.left]
    return fields


def _welcome(welcome: Welcome) -> Fields:
    return {"v": VERSION, "room": {"name": welcome.room, "title": welcome.title}, **encode_room(welcome)}


def encode_room(welcome: Welcome) -> Fields:
    """The fields of a welcome that tell where the room stands, the same in each version."""
    fields: Fields = {
        "epoch": welcome.position.epoch,
        "seq": welcome.position.seq,
        **({"id": welcome.position.id} if welcome.position.id else {}),
        "recovered": welcome.recovered,
        "here": welcome.here,
        "members": [encode_member(member) for member in welcome.members],
        "listed": welcome.listed,
        "messages": [encode_message(each) for each in welcome.messages],
        "more": welcome.more,
        "limits": {"name": welcome.longest_name, "text": welcome.longest_text},
    }
    if welcome.access != Access.WRITE:
        fields["access"] = welcome.access.permissions
    fields.update(encode_standing(welcome))
    if welcome.settings is not None:
        fields.update({name: value for name, value in encode_settings(welcome.settings).items() if name != "title"})
    if welcome.queue is not None:
        fields["queue"] = encode_queue(welcome.queue)
    return fields if welcome.you is None else {**fields, "you": encode_you(welcome.you)}


def encode_you(you: You) -> Fields:
    """The fields of the identity that somebody is told to have."""
    return {"id": you.id, "name": you.name, "roles": list(you.roles), "name_fixed": you.name_fixed}


# Answers, encoded


def encode_refusal(refused: Refused) -> Fields:
    """The answer to a refused command."""
    return {"ok": False, "error": encode_error(refused)}


def encode_stored(event: LogEvent) -> Fields:
    """The answer to the author of a stored event: its id, number and date."""
    return {"id": event.id, "seq": event.seq, "date": iso(event.date)}


def encode_page(found: Sequence[Message], limit: int) -> Fields:
    """A page of the newest `limit` messages of `found`; `more` is true if there are older ones.

    It holds at least one message, and at most as many as fit into `PAGE_BYTES`.
    """
    messages: list[Fields] = []
    size = 0
    for each in reversed(found[-limit:] if limit else ()):
        messages.append(encode_message(each))
        size += len(strictjson.dumps(messages[-1]).encode())
        if size > PAGE_BYTES and len(messages) > 1:
            messages.pop()
            break
    return {"messages": messages[::-1], "more": len(found) > len(messages)}


# Commands, decoded


def _text(name: str, value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise Refused("bad_request", f"“{name}” must be a text.")
    return value


def _number(name: str, value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _MAX_NUMBER):
        raise Refused("bad_request", f"“{name}” must be a whole number, 0 or above.")
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Refused("bad_request", f"“{name}” must be true or false.")
    return value


def _list(name: str, value: object) -> list[Any] | None:
    if value is not None and not isinstance(value, list):
        raise Refused("bad_request", f"“{name}” must be a list.")
    return value


#: The check of each field of a command.
_CHECKS: Mapping[str, Callable[[str, object], object]] = {
    **dict.fromkeys(
        ("action", "after", "emoji", "id", "matching", "member", "name", "reason", "room", "text", "token"), _text
    ),
    **dict.fromkeys(("before", "limit", "reply_to", "seq", "target"), _number),
    "on": _flag,
    **dict.fromkeys(("rooms", "with"), _list),
}

#: By name: the required fields of a command, the text of the refusal if one is missing, and its optional fields.
CommandFields = Mapping[str, tuple[tuple[str, ...], str, tuple[str, ...]]]

#: Every command.
COMMANDS: CommandFields = {
    "join": ((), "", ("name", "token")),
    "say": (("text",), "A text is missing: {“text”: “hi”}.", ("id", "reply_to")),
    "edit": (("target", "text"), "The message or its new text is missing: {“target”: 42, “text”: “hi”}.", ("id",)),
    "delete": (("target",), "The message is missing: {“target”: 42}.", ("id",)),
    "react": (
        ("target", "emoji"),
        "The message or the emoji is missing: {“target”: 42, “emoji”: “👍”}.",
        ("on", "id"),
    ),
    "history": ((), "", ("before", "limit", "matching")),
    "typing": ((), "", ("on",)),
    "who": ((), "", ()),
    "read": (("seq",), "The number of the last event that was seen is missing: {“seq”: 42}.", ()),
    "leave": ((), "", ()),
    "report": (("target",), "The message is missing: {“target”: 42}.", ("reason",)),
    "moderate": (("action",), "The action is missing: {“action”: “kick”, “member”: “…”}.", ()),
    "moderation": ((), "", ()),
    "audit": ((), "", ("before", "limit")),
}


def decode_command(name: str, fields: object, commands: CommandFields = COMMANDS) -> list[Any]:
    """The values of a command's fields: the required ones first, in the order of `commands`.

    A missing optional field is `None`, and a missing flag is true. `moderate` has one more value: the fields of the
    action. Raise `Refused` for an unknown command, a missing required field or a value of the wrong type.
    """
    command = commands.get(name)
    if command is None:
        raise Refused("unknown_command", f"There is no command {name[:40]!a}. There are: {', '.join(commands)}.")
    if not isinstance(fields, dict):
        raise Refused("bad_request", f"“{name}” takes one object, such as {{“text”: “hi”}}.")
    required, hint, optional = command
    values: list[Any] = []
    for field in required:
        value = _CHECKS[field](field, fields.get(field))
        if value is None:
            raise Refused("bad_request", hint)
        values.append(value)
    for field in optional:
        if field in fields:
            values.append(_CHECKS[field](field, fields[field]))
        else:
            values.append(field == "on" or None)
    if name == "moderate":
        values.append(accept_action(fields["action"], fields))
    return values


def decode_position(given: Any) -> Position | None:  # noqa: ANN401 -- whatever came
    """The last position of a client, from `{"epoch": "…", "seq": 41, "id": "…"}`; `None` for anything else.

    `id`, the id of the event with that number, is optional.
    """
    match given:
        case {"epoch": str() as epoch, "seq": int() as seq} if not isinstance(seq, bool) and 0 <= seq < _MAX_NUMBER:
            event_id = given.get("id", "")
            return Position(epoch, seq, event_id if isinstance(event_id, str) else "")
    return None


def encode_position(position: Position) -> Fields:
    """A position in the form that `decode_position` takes."""
    fields: Fields = {"epoch": position.epoch, "seq": position.seq}
    return {**fields, "id": position.id} if position.id else fields


# Events, decoded. A field that is missing or invalid raises `KeyError`, `TypeError` or `ValueError`.


def decode(name: str, fields: _Received) -> Notice | None:
    """The notice from which `encode` made this event; `None` for other events.

    Some values are not in the protocol, and are empty here: the position of a presence, the names of those who left,
    the member who gets a whisper.
    """
    match name:
        case "message":
            return decode_message(fields)
        case "edited":
            text, mentions = _is_text(fields["text"]), _decode_mentions(fields)
            return Edited(**_decode_revision(fields), text=text, mentions=mentions)
        case "deleted":
            return Deleted(**_decode_revision(fields))
        case "reacted":
            return Reacted(**_decode_revision(fields), emoji=_is_text(fields["emoji"]), on=fields["on"] is True)
        case "typing":
            return Typing(decode_member(fields["member"]), fields["on"] is True)
        case "presence":
            return _decode_presence(fields)
        case "whisper":
            return _decode_whisper(fields)
        case "welcome":
            return _decode_welcome(fields)
        case "room":
            return decode_settings(fields, _is_text(fields["title"]))
        case "access":
            return AccessChanged(_decode_access(fields), decode_role(fields), decode_mute(fields))
        case "queue":
            return decode_queue(fields)
        case "held":
            return HeldDecided(_is_text(fields["id"]), _is_text(fields["state"]), _is_text(fields.get("reason", "")))
    return None


def decode_member(fields: _Received) -> Member:
    """The member in `fields`."""
    return Member(_is_text(fields["id"]), _is_text(fields["name"]), _roles(fields))


def decode_members(several: Iterable[_Received]) -> tuple[Member, ...]:
    """The members in `several`."""
    return tuple(decode_member(each) for each in several)


def decode_message(fields: _Received) -> Message:
    """The message in `fields`, as it stands."""
    reply, edited = fields.get("reply"), fields.get("edited")
    return Message(
        id=_is_text(fields["id"]),
        author=decode_member(fields["author"]),
        text=_is_text(fields["text"]),
        date=_date(fields["date"]),
        seq=_is_number(fields["seq"]),
        reply=None
        if reply is None
        else Quote(_is_number(reply["seq"]), _is_text(reply["author"]), _is_text(reply["text"])),
        edited=None if edited is None else _date(edited),
        deleted=fields.get("deleted") is True,
        mentions=_decode_mentions(fields),
        reactions=tuple(
            (emoji, tuple(_is_text(each) for each in ids)) for emoji, ids in dict(fields.get("reactions", {})).items()
        ),
    )


def _decode_mentions(fields: _Received) -> tuple[str, ...]:
    return tuple(_is_text(each) for each in fields.get("mentions", ()))


def _decode_revision(fields: _Received) -> Fields:
    return {
        "id": _is_text(fields["id"]),
        "author": decode_member(fields["author"]),
        "target": _is_number(fields["target"]),
        "date": _date(fields["date"]),
        "seq": _is_number(fields["seq"]),
    }


def _decode_whisper(fields: _Received) -> Whisper:
    author, text = decode_member(fields["author"]), _is_text(fields["text"])
    return Whisper(_is_text(fields["id"]), author, Member("", ""), text, _date(fields["date"]))


def _decode_presence(fields: _Received) -> Presence:
    return Presence(
        here=int(fields["here"]),
        position=Position("", 0),
        joined=decode_members(fields.get("joined", ())),
        left=tuple(Member(_is_text(each), "") for each in fields.get("left", ())),
        renamed=decode_members(fields.get("renamed", ())),
        listed=fields.get("listed") is not False,
        members=decode_members(fields["members"]) if "members" in fields else None,
    )


def _decode_welcome(fields: _Received) -> Welcome:
    limits, you, queue = fields.get("limits", {}), fields.get("you"), fields.get("queue")
    title = _is_text(fields["room"]["title"])
    return Welcome(
        room=_is_text(fields["room"]["name"]),
        title=title,
        position=Position(_is_text(fields["epoch"]), _is_number(fields["seq"]), _is_text(fields.get("id", ""))),
        recovered=fields.get("recovered") is True,
        here=int(fields["here"]),
        members=decode_members(fields.get("members", ())),
        listed=fields.get("listed") is not False,
        messages=tuple(decode_message(each) for each in fields["messages"]),
        more=fields.get("more") is True,
        longest_name=_is_number(limits.get("name", 32)),
        longest_text=_is_number(limits.get("text", 2_000)),
        you=None if you is None else _decode_you(you),
        access=_decode_access(fields),
        role=decode_role(fields),
        muted=decode_mute(fields),
        settings=decode_settings(fields, title),
        queue=None if queue is None else decode_queue(queue),
    )


def _decode_access(fields: _Received) -> Access:
    """What we may do; permissions of a later server are ignored."""
    given = fields.get("access")
    return Access.WRITE if given is None else Access(each for each in PERMISSIONS if each in given)


def _decode_you(fields: _Received) -> You:
    name = fields.get("name")
    return You(
        _is_text(fields["id"]),
        None if name is None else _is_text(name),
        _roles(fields),
        fields.get("name_fixed") is True,
    )


def _roles(fields: _Received) -> tuple[str, ...]:
    return tuple(_is_text(role) for role in fields.get("roles", ()))


def _date(given: str) -> float:
    """Seconds since 1970."""
    return datetime.fromisoformat(given).timestamp()


def _is_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} should be a text")
    return value


def _is_number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} should be a whole number")
    return value
