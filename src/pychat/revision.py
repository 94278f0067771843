"""What becomes of a message: the one function that all stores, and whoever keeps messages, apply to them."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from pychat.model import Deleted, Edited, Message, Reacted

__all__ = ["revise"]


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
