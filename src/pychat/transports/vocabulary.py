"""Version 1 of the vocabulary, the same on every wire: events as names and objects, commands as calls of a session.

`docs/reference/wire.md` is written for people who write clients; whoever changes one changes the other.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, assert_never

from pychat.connection import Notice, Presence, Welcome
from pychat.errors import Close, Refused
from pychat.model import Member, Message, Position, Typing, iso
from pychat.session import Session

__all__ = ["COMMANDS", "VERSION", "bye", "carry_out", "failure", "position", "tell"]

VERSION = 1
_log = logging.getLogger("pychat.transports")

_Object = dict[str, Any]


def tell(notice: Notice) -> tuple[str, _Object]:
    """The event's name and object for `notice`."""
    match notice:
        case Message():
            return "message", _message(notice)
        case Presence():
            return "presence", _presence(notice)
        case Typing():
            return "typing", {"member": _member(notice.member), "on": notice.on}
        case Welcome():
            return "welcome", _welcome(notice)
        case _:
            assert_never(notice)


def bye(why: Close) -> tuple[str, _Object]:
    """The event that says why the server is about to close a connection."""
    return "bye", {"code": why.code, "reason": why.reason, "reconnect": why.reconnect, "text": why.text}


def failure(refused: Refused) -> _Object:
    """The answer to a command that was refused."""
    return {"ok": False, "error": refused.as_dict()}


async def carry_out(session: Session, name: str, fields: object) -> _Object:
    """Carry out a command and return its answer; a refusal is an answer too. Never raises for what a visitor sent."""
    try:
        command = COMMANDS.get(name)
        if command is None:
            raise Refused("unknown_command", f"There is no command {name[:40]!a}. There are: {', '.join(COMMANDS)}.")
        if not isinstance(fields, dict):
            raise Refused("bad_request", f"“{name}” takes one object, such as {{“text”: “hi”}}.")
        return {"ok": True, **await command(session, fields)}
    except Refused as refused:
        return failure(refused)
    except Exception:
        _log.exception("The command “%s” failed", name)
        return failure(Refused("internal", "The server failed at this, and has logged why. Try again."))


def position(given: object) -> Position | None:
    """Where a client says that it left: `{"epoch": "…", "seq": 41}`. Anything else is nowhere."""
    match given:
        case {"epoch": str() as epoch, "seq": int() as seq} if not isinstance(seq, bool):
            return Position(epoch, seq)
    return None


async def _join(session: Session, fields: Mapping[str, object]) -> _Object:
    member, token = await session.join(_text(fields, "name", None), _text(fields, "token", None))
    return {"member": _member(member), "token": token}


async def _say(session: Session, fields: Mapping[str, object]) -> _Object:
    text = _text(fields, "text", None)
    if text is None:
        raise Refused("bad_request", "Say what: {“text”: “hi”}.")
    return stored(await session.say(text, _text(fields, "id", None)))


async def _typing(session: Session, fields: Mapping[str, object]) -> _Object:
    on = fields.get("on", True)
    if not isinstance(on, bool):
        raise Refused("bad_request", "“on” must be true or false.")
    await session.type(on)
    return {}


async def _who(session: Session, _fields: Mapping[str, object]) -> _Object:
    here, members = session.who()
    return {"here": here, "members": [_member(member) for member in members]}


async def _leave(session: Session, _fields: Mapping[str, object]) -> _Object:
    await session.leave()
    return {}


#: Every command, by name.
COMMANDS: dict[str, Callable[[Session, Mapping[str, object]], Awaitable[_Object]]] = {
    "join": _join,
    "say": _say,
    "typing": _typing,
    "who": _who,
    "leave": _leave,
}


def stored(message: Message) -> _Object:
    """What the author is told of a message: where it stands."""
    return {"id": message.id, "seq": message.seq, "date": iso(message.date)}


def _text(fields: Mapping[str, object], name: str, default: str | None) -> str | None:
    value = fields.get(name, default)
    if value is not None and not isinstance(value, str):
        raise Refused("bad_request", f"“{name}” must be a text.")
    return value


def _member(member: Member) -> _Object:
    return {"id": member.id, "name": member.name}


def _message(message: Message) -> _Object:
    return {**stored(message), "author": _member(message.author), "text": message.text}


def _presence(presence: Presence) -> _Object:
    told: _Object = {"here": presence.here, "listed": presence.listed}
    for name in ("joined", "renamed", "members"):
        members = getattr(presence, name)
        if members:
            told[name] = [_member(member) for member in members]
    if presence.left:
        told["left"] = [member.id for member in presence.left]
    return told


def _welcome(welcome: Welcome) -> _Object:
    return {
        "v": VERSION,
        "room": {"name": welcome.room, "title": welcome.title},
        "epoch": welcome.position.epoch,
        "seq": welcome.position.seq,
        "recovered": welcome.recovered,
        "here": welcome.here,
        "members": [_member(member) for member in welcome.members],
        "listed": welcome.listed,
        "messages": [_message(message) for message in welcome.messages],
        "limits": {"name": welcome.longest_name, "text": welcome.longest_text},
    }
