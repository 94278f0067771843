"""Executes the commands of version 1 on a session, for every wire."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Edited, Message, Reacted
from pychat.protocol.v1 import decode_command, encode_member, encode_page, encode_refusal, encode_stored
from pychat.room.session import Session

__all__ = ["execute"]

_log = logging.getLogger("pychat.transports")
_MAX_PAGE, _DEFAULT_PAGE = 200, 50

_Fields = dict[str, Any]


async def execute(session: Session, name: str, fields: object, *, gathered: bool = False) -> _Fields:
    """Execute a command and return its answer; a refusal is an answer too. Never raises for what a visitor sent.

    When it returns, everybody has been sent what was stored before, so that no answer overtakes an event. With
    `gathered` the caller sees to that, by sending the answer with `Session.after_telling`.
    """
    try:
        values = decode_command(name, fields)
        answer = {"ok": True, **await _HANDLERS[name](session, *values)}
        if not gathered:
            session.flush()
        return answer
    except Refused as refused:
        return encode_refusal(refused)
    except Exception:
        _log.exception("The command “%s” failed", name)
        return encode_refusal(Refused("internal", "The server failed at this, and has logged why. Try again."))


async def _join(session: Session, name: str | None, token: str | None) -> _Fields:
    member, issued = await session.join(name, token)
    answer: _Fields = {"member": encode_member(member)}
    return answer if issued is None else {**answer, "token": issued}


async def _say(session: Session, text: str, given_id: str | None, reply_to: int | None) -> _Fields:
    said = await session.say(text, given_id, reply_to)
    # A hook may have changed it; the author is not sent the message itself.
    return encode_stored(said) if said.text == text else {**encode_stored(said), "text": said.text}


async def _edit(session: Session, target: int, text: str, given_id: str | None) -> _Fields:
    return _stored(await session.edit(target, text, given_id))


async def _delete(session: Session, target: int, given_id: str | None) -> _Fields:
    return _stored(await session.delete(target, given_id))


async def _react(session: Session, target: int, emoji: str, on: bool, given_id: str | None) -> _Fields:
    return _stored(await session.react(target, emoji, on, given_id))


async def _history(session: Session, before: int | None, limit: int | None, matching: str | None) -> _Fields:
    limit = min(_DEFAULT_PAGE if limit is None else limit, _MAX_PAGE)
    return encode_page(await session.history(before, limit + 1, matching), limit)


async def _typing(session: Session, on: bool) -> _Fields:
    await session.type(on)
    return {}


async def _who(session: Session) -> _Fields:
    here, members = session.who()
    return {"here": here, "members": [encode_member(member) for member in members]}


async def _leave(session: Session) -> _Fields:
    await session.leave()
    return {}


#: By name; each takes the values that `decode_command` gives.
_HANDLERS: Mapping[str, Callable[..., Awaitable[_Fields]]] = {
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


def _stored(event: object) -> _Fields:
    return encode_stored(event) if isinstance(event, Message | Edited | Deleted | Reacted) else {}
