"""Edits, deletions and reactions: whether a message can have them, and the message after them."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Edited, Message, Reacted

__all__ = ["MAX_REACTIONS", "check", "deleted", "revise", "too_many_kinds"]

#: The maximum number of different reactions to one message.
MAX_REACTIONS = 20


def check(message: Message, event: Edited | Deleted | Reacted) -> None:
    """Raise `Refused` if `event` can no longer happen to `message` as it stands.

    The room checks this before it stores an event. Each store checks it again when it stores the event, because
    another event may have been stored in between, on this server or another one.
    """
    if message.deleted and not isinstance(event, Deleted):
        raise deleted()
    adds = isinstance(event, Reacted) and event.on and event.emoji not in dict(message.reactions)
    if adds and len(message.reactions) >= MAX_REACTIONS:
        raise too_many_kinds()


def deleted() -> Refused:
    """The refusal of an edit of, or a reaction to, a deleted message."""
    return Refused("not_found", "This message was deleted.")


def too_many_kinds() -> Refused:
    """The refusal of one more kind of reaction."""
    return Refused("too_many", f"This message has {MAX_REACTIONS} kinds of reactions, which is the maximum.")


def revise(message: Message, event: Edited | Deleted | Reacted) -> Message:
    """`message` after `event`. Applying the same event again changes nothing. A deleted message stays deleted."""
    if message.deleted or message.seq != event.target:
        return message
    match event:
        case Edited():
            return replace(message, text=event.text, edited=event.date, mentions=event.mentions)
        case Deleted():
            return replace(message, text="", edited=None, deleted=True, reactions=(), mentions=())
        case Reacted():
            return replace(message, reactions=_react(message.reactions, event))
        case _:
            assert_never(event)


def _react(
    reactions: tuple[tuple[str, tuple[str, ...]], ...], event: Reacted
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    chosen = {emoji: list(ids) for emoji, ids in reactions}
    ids = chosen.setdefault(event.emoji, [])
    if event.on and event.author.id not in ids:
        ids.append(event.author.id)
    elif not event.on and event.author.id in ids:
        ids.remove(event.author.id)
    return tuple((emoji, tuple(ids)) for emoji, ids in chosen.items() if ids)
