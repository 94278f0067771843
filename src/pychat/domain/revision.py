"""What becomes of a message: what can still become of it, and the function that all who keep messages apply to them."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pychat.domain.errors import Refused
from pychat.domain.model import Deleted, Edited, Message, Reacted

__all__ = ["KINDS_OF_REACTION", "check", "deleted", "revise", "too_many_kinds"]

#: How many kinds of reactions one message can have.
KINDS_OF_REACTION = 20


def check(message: Message, event: Edited | Deleted | Reacted) -> None:
    """Raise `Refused` if `event` can no longer happen to `message` as it stands.

    The room asks before it stores an event, and each store asks again as it puts the event in its place: what others
    did in between, on this server or another, came first.
    """
    if message.deleted and not isinstance(event, Deleted):
        raise deleted()
    adds = isinstance(event, Reacted) and event.on and event.emoji not in dict(message.reactions)
    if adds and len(message.reactions) >= KINDS_OF_REACTION:
        raise too_many_kinds()


def deleted() -> Refused:
    """What somebody is told who changes a message, or reacts to one, that was deleted."""
    return Refused("not_found", "This message was deleted.")


def too_many_kinds() -> Refused:
    """What somebody is told who adds one kind of reaction too many."""
    return Refused("too_many", f"This message has {KINDS_OF_REACTION} kinds of reactions, and can have no more.")


def revise(message: Message, event: Edited | Deleted | Reacted) -> Message:
    """`message` after `event`. Applying the same event again changes nothing; what was deleted stays so."""
    if message.deleted or message.seq != event.target:
        return message
    match event:
        case Edited():
            return replace(message, text=event.text, edited=event.date)
        case Deleted():
            return replace(message, text="", edited=None, deleted=True, reactions=())
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
