"""Version 1 of the vocabulary, the same on every wire: events as names and objects, commands as calls of a session.

`docs/reference/wire.md` is written for people who write clients; whoever changes one changes the other.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, assert_never

from pychat.domain import strictjson
from pychat.domain.errors import Close, Refused
from pychat.domain.model import Deleted, Edited, Kicked, LogEvent, Member, Message, Position, Reacted, Typing, iso
from pychat.room.connection import Notice, Presence, Welcome
from pychat.room.session import Session

__all__ = [
    "COMMANDS",
    "PAGE_BYTES",
    "VERSION",
    "bye",
    "execute",
    "failure",
    "message",
    "page",
    "person",
    "position",
    "tell",
]

VERSION = 1
#: The messages of one page of history hold so many bytes at most, unless it is a single one.
PAGE_BYTES = 256 * 1024
_log = logging.getLogger("pychat.transports")
_NUMBERS = 2**53  # from here on numbers are not exact in JavaScript

_Object = dict[str, Any]


def tell(notice: Notice) -> tuple[str, _Object]:
    """The event's name and object for `notice`."""
    match notice:
        case Message():
            return "message", message(notice)
        case Edited():
            return "edited", {**_revised(notice), "text": notice.text}
        case Deleted():
            return "deleted", _revised(notice)
        case Reacted():
            return "reacted", {**_revised(notice), "emoji": notice.emoji, "on": notice.on}
        case Presence():
            return "presence", _presence(notice)
        case Typing():
            return "typing", {"member": person(notice.member), "on": notice.on}
        case Kicked():
            return "error", Refused("kicked", notice.text).as_dict()
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


async def execute(session: Session, name: str, fields: object, *, gathered: bool = False) -> _Object:
    """Carry out a command and return its answer; a refusal is an answer too. Never raises for what a visitor sent.

    Everybody has been told what was stored before, so that no answer overtakes it; with `gathered`, the caller sees to
    that, by sending answers with `Session.after_telling`.
    """
    try:
        command = COMMANDS.get(name)
        if command is None:
            raise Refused("unknown_command", f"There is no command {name[:40]!a}. There are: {', '.join(COMMANDS)}.")
        if not isinstance(fields, dict):
            raise Refused("bad_request", f"“{name}” takes one object, such as {{“text”: “hi”}}.")
        answer = {"ok": True, **await command(session, fields)}
        if not gathered:
            session.flush()
        return answer
    except Refused as refused:
        return failure(refused)
    except Exception:
        _log.exception("The command “%s” failed", name)
        return failure(Refused("internal", "The server failed at this, and has logged why. Try again."))


def position(given: Any) -> Position | None:  # noqa: ANN401 -- whatever came
    """Where a client says that it left: `{"epoch": "…", "seq": 41, "id": "…"}`. Anything else is nowhere.

    The id, of the event of that number, may be left out.
    """
    match given:
        case {"epoch": str() as epoch, "seq": int() as seq} if not isinstance(seq, bool) and 0 <= seq < _NUMBERS:
            event_id = given.get("id", "")
            return Position(epoch, seq, event_id if isinstance(event_id, str) else "")
    return None


async def _join(session: Session, fields: Mapping[str, object]) -> _Object:
    member, token = await session.join(_text(fields, "name"), _text(fields, "token"))
    return {"member": person(member)} if token is None else {"member": person(member), "token": token}


async def _say(session: Session, fields: Mapping[str, object]) -> _Object:
    text = _text(fields, "text")
    if text is None:
        raise Refused("bad_request", "Say what: {“text”: “hi”}.")
    said = await session.say(text, _text(fields, "id"), _number(fields, "reply_to"))
    # A hook may have changed it; the author is not sent the message itself.
    return stored(said) if said.text == text else {**stored(said), "text": said.text}


async def _edit(session: Session, fields: Mapping[str, object]) -> _Object:
    target, text = _number(fields, "target"), _text(fields, "text")
    if target is None or text is None:
        raise Refused("bad_request", "Say which message, and its new text: {“target”: 42, “text”: “hi”}.")
    return _done(await session.edit(target, text, _text(fields, "id")))


async def _delete(session: Session, fields: Mapping[str, object]) -> _Object:
    target = _number(fields, "target")
    if target is None:
        raise Refused("bad_request", "Say which message: {“target”: 42}.")
    return _done(await session.delete(target, _text(fields, "id")))


async def _react(session: Session, fields: Mapping[str, object]) -> _Object:
    target, emoji = _number(fields, "target"), _text(fields, "emoji")
    if target is None or emoji is None:
        raise Refused("bad_request", "Say which message, and an emoji: {“target”: 42, “emoji”: “👍”}.")
    return _done(await session.react(target, emoji, _flag(fields, "on"), _text(fields, "id")))


async def _history(session: Session, fields: Mapping[str, object]) -> _Object:
    matching = _text(fields, "matching")
    limit = _number(fields, "limit")
    limit = min(50 if limit is None else limit, 200)
    found = await session.history(_number(fields, "before"), limit + 1, matching)
    return page(found, limit)


async def _typing(session: Session, fields: Mapping[str, object]) -> _Object:
    await session.type(_flag(fields, "on"))
    return {}


async def _who(session: Session, _fields: Mapping[str, object]) -> _Object:
    here, members = session.who()
    return {"here": here, "members": [person(member) for member in members]}


async def _leave(session: Session, _fields: Mapping[str, object]) -> _Object:
    await session.leave()
    return {}


#: Every command, by name.
COMMANDS: dict[str, Callable[[Session, Mapping[str, object]], Awaitable[_Object]]] = {
    "join": _join,
    "say": _say,
    "edit": _edit,
    "delete": _delete,
    "react": _react,
    "history": _history,
    "typing": _typing,
    "who": _who,
    "leave": _leave,
}


def stored(event: LogEvent) -> _Object:
    """What the author of something is told of it: where it stands."""
    return {"id": event.id, "seq": event.seq, "date": iso(event.date)}


def page(found: Sequence[Message], limit: int) -> _Object:
    """A page of `limit` messages, made of one more; `more` tells that there are older ones.

    Only as many of the newest as `PAGE_BYTES` hold, and one at least.
    """
    told: list[_Object] = []
    size = 0
    for each in reversed(found[-limit:] if limit else ()):
        told.append(message(each))
        size += len(strictjson.dumps(told[-1]).encode())
        if size > PAGE_BYTES and len(told) > 1:
            told.pop()
            break
    return {"messages": told[::-1], "more": len(found) > len(told)}


def _done(event: object) -> _Object:
    return stored(event) if isinstance(event, Message | Edited | Deleted | Reacted) else {}


def _text(fields: Mapping[str, object], name: str) -> str | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, str):
        raise Refused("bad_request", f"“{name}” must be a text.")
    return value


def _number(fields: Mapping[str, object], name: str) -> int | None:
    value = fields.get(name)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < _NUMBERS):
        raise Refused("bad_request", f"“{name}” must be a whole number, 0 or above.")
    return value


def _flag(fields: Mapping[str, object], name: str) -> bool:
    value = fields.get(name, True)
    if not isinstance(value, bool):
        raise Refused("bad_request", f"“{name}” must be true or false.")
    return value


def person(member: Member) -> _Object:
    """A member, as everybody is told."""
    told: _Object = {"id": member.id, "name": member.name}
    return {**told, "roles": list(member.roles)} if member.roles else told


def message(said: Message) -> _Object:
    """A message as it stands; what does not apply to it is left out."""
    told = {**stored(said), "author": person(said.author), "text": said.text}
    if said.reply is not None:
        told["reply"] = {"seq": said.reply.seq, "author": said.reply.author, "text": said.reply.text}
    if said.edited is not None:
        told["edited"] = iso(said.edited)
    if said.deleted:
        told["deleted"] = True
    if said.reactions:
        told["reactions"] = {emoji: list(ids) for emoji, ids in said.reactions}
    return told


def _revised(event: Edited | Deleted | Reacted) -> _Object:
    return {**stored(event), "target": event.target, "author": person(event.author)}


def _presence(presence: Presence) -> _Object:
    told: _Object = {"here": presence.here, "listed": presence.listed}
    for name in ("joined", "renamed", "members"):
        members = getattr(presence, name)
        if members or (name == "members" and members is not None):
            told[name] = [person(member) for member in members]
    if presence.left:
        told["left"] = [member.id for member in presence.left]
    return told


def _welcome(welcome: Welcome) -> _Object:
    told: _Object = {
        "v": VERSION,
        "room": {"name": welcome.room, "title": welcome.title},
        "epoch": welcome.position.epoch,
        "seq": welcome.position.seq,
        **({"id": welcome.position.id} if welcome.position.id else {}),
        "recovered": welcome.recovered,
        "here": welcome.here,
        "members": [person(member) for member in welcome.members],
        "listed": welcome.listed,
        "messages": [message(each) for each in welcome.messages],
        "more": welcome.more,
        "limits": {"name": welcome.longest_name, "text": welcome.longest_text},
    }
    you = welcome.you
    if you is not None:
        told["you"] = {"id": you.id, "name": you.name, "roles": list(you.roles), "name_fixed": you.name_fixed}
    return told
