"""Executes the commands of version 1 on a session, for every transport."""

from __future__ import annotations

import asyncio
import logging
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Edited, Member, Message, Reacted
from pychat.domain.moderation import AuditEntry
from pychat.protocol.moderation import encode_entries, encode_overview
from pychat.protocol.v1 import decode_command, encode_member, encode_page, encode_refusal, encode_stored
from pychat.room.answer import Answer
from pychat.room.session import Session

__all__ = ["execute", "submit_command"]

_log = logging.getLogger("pychat.transports")
_MAX_PAGE, _DEFAULT_PAGE = 200, 50

_Fields = dict[str, Any]


def submit_command(
    session: Session, name: str, fields: object, send: Callable[[_Fields], object], *, only_refusals: bool = False
) -> None:
    """Submit a command; `send` is called with its answer, when that may go out. A refusal is an answer too.

    With `only_refusals` no other answer is encoded or sent. Never raises for what a visitor sent.
    """
    try:
        values = decode_command(name, fields)
        begin, encode = _COMMANDS[name]
        answer = begin(session, *values)
    except Refused as refused:
        values, encode, answer = [], _nothing, session.enqueue(_refuse(session, refused))

    def reply(answer: Answer[Any]) -> None:
        try:
            result = answer.result()
            if only_refusals:
                return
            outcome = {"ok": True, **encode(result, *values)}
        except Refused as refused:
            outcome = encode_refusal(refused)
        except Exception:
            _log.exception("The command “%s” failed", name)
            outcome = encode_refusal(Refused("internal", "The server failed at this, and has logged why. Try again."))
        send(outcome)

    answer.on_done(reply)


async def execute(session: Session, name: str, fields: object) -> _Fields:
    """Execute a command and return its answer; a refusal is an answer too. Never raises for what a visitor sent.

    When it returns, everybody has been sent what was stored before, so that no answer overtakes an event.
    """
    answer: asyncio.Future[_Fields] = asyncio.get_running_loop().create_future()
    submit_command(session, name, fields, lambda outcome: None if answer.done() else answer.set_result(outcome))
    return await answer


def __getattr__(name: str) -> object:
    if name != "submit":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    warnings.warn(f"{__name__}.submit is now submit_command; use that name.", DeprecationWarning, stacklevel=2)
    return submit_command


async def _refuse(session: Session, refused: Refused) -> None:
    session.spend_refused()
    raise refused


def _joined(joined: tuple[Member, str | None], *_: object) -> _Fields:
    member, issued = joined
    answer: _Fields = {"member": encode_member(member)}
    return answer if issued is None else {**answer, "token": issued}


def _said(said: Message, text: str, *_: object) -> _Fields:
    if not said.seq:
        return {"held": True, "id": said.id}
    # A hook may have changed it; the author is not sent the message itself.
    answer = encode_stored(said)
    if said.text != text:
        answer["text"] = said.text
    return {**answer, "mentions": list(said.mentions)} if said.mentions else answer


def _stored(event: object, *_: object) -> _Fields:
    return encode_stored(event) if isinstance(event, Message | Edited | Deleted | Reacted) else {}


def _history(session: Session, before: int | None, limit: int | None, matching: str | None) -> Answer[Any]:
    return session.history(before, _most(limit) + 1, matching)


def _page(found: list[Message], _: int | None, limit: int | None, *__: object) -> _Fields:
    return encode_page(found, _most(limit))


def _most(limit: int | None) -> int:
    return _DEFAULT_PAGE if limit is None else min(limit, _MAX_PAGE)


def _audit(session: Session, before: int | None, limit: int | None) -> Answer[Any]:
    return session.audit(before, _most(limit) + 1)


def _entries(found: list[AuditEntry], _: int | None, limit: int | None) -> _Fields:
    return encode_entries(found, _most(limit))


def _told(told: _Fields, *_: object) -> _Fields:
    return told


def _here(counted: tuple[int, tuple[Member, ...]]) -> _Fields:
    here, members = counted
    return {"here": here, "members": [encode_member(member) for member in members]}


def _nothing(*_: object) -> _Fields:
    return {}


#: By name: what begins the command with the values that `decode_command` gives, and what encodes its result.
_COMMANDS: Mapping[str, tuple[Callable[..., Answer[Any]], Callable[..., _Fields]]] = {
    "join": (Session.join, _joined),
    "say": (Session.say, _said),
    "edit": (Session.edit, _stored),
    "delete": (Session.delete, _stored),
    "react": (Session.react, _stored),
    "history": (_history, _page),
    "typing": (Session.set_typing, _nothing),
    "who": (Session.who, _here),
    "read": (Session.read, _nothing),
    "leave": (Session.leave, _nothing),
    "report": (Session.report, _nothing),
    "moderate": (Session.moderate, _told),
    "moderation": (Session.moderation, encode_overview),
    "audit": (_audit, _entries),
}
