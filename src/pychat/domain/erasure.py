"""Erasing: which messages are chosen, and the events of a log after their texts were taken out."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import overload

from pychat.domain.errors import UsageError
from pychat.domain.model import Deleted, Edited, Erased, LogEvent, Member, Message, Quote, Reacted

__all__ = ["Choice", "deletion", "erased", "requoted", "withdrawal"]


@dataclass(frozen=True, slots=True)
class Choice:
    """The messages of `author`, from before the date `before`, with the numbers `seqs`; `None` means any.

    If `author` is given and `seqs` is not, the member's other events are chosen too: reactions, edits and deletions.
    """

    author: str | None = None
    before: float | None = None
    seqs: frozenset[int] | None = None

    @classmethod
    def of(cls, author: str | None, before: float | None, seqs: Collection[int] | None) -> Choice:
        """Make a choice. Raise `UsageError` if nothing is given: all messages are too many for a mistake."""
        if author is None and before is None and seqs is None:
            raise UsageError("Say which messages to erase: author=…, before=…, or seqs=….")
        return cls(author, before, None if seqs is None else frozenset(seqs))

    @property
    def everything_of(self) -> str | None:
        """The id of the member of whom everything is erased; `None` if only some messages are."""
        return self.author if self.before is None and self.seqs is None else None

    def has(self, message: Message) -> bool:
        """Return whether the message is chosen."""
        return (
            self.author in (None, message.author.id)
            and (self.before is None or message.date < self.before)
            and (self.seqs is None or message.seq in self.seqs)
        )

    def report(self, seqs: Collection[int]) -> Erased:
        """Return what subscribers get after the messages `seqs` were erased."""
        if self.seqs is not None:
            return Erased(tuple(seqs))
        return Erased(tuple(seqs), self.author, self.before)


@overload
def erased(event: Message, what: Erased, seqs: Collection[int]) -> Message: ...
@overload
def erased(event: LogEvent, what: Erased, seqs: Collection[int]) -> LogEvent: ...
def erased(event: LogEvent, what: Erased, seqs: Collection[int]) -> LogEvent:
    """Return `event` without the erased texts; `seqs` are those of `what`, in a set. The same event if it has none."""
    match event:
        case Message(seq=seq) if seq in seqs:
            return Message(event.id, Member(event.author.id, ""), "", event.date, seq, deleted=True)
        case Message(reply=Quote(seq=seq)) if seq in seqs:
            return requoted(event)
        case Edited(target=target) if target in seqs:
            return replace(event, author=Member(event.author.id, ""), text="", mentions=())
        case Edited() if _is_by(event, what):
            return replace(event, author=Member(event.author.id, ""), text="", mentions=())
        case Reacted() if _is_by(event, what):
            return replace(event, author=Member(event.author.id, ""), emoji="", on=False)
        case Deleted() if _is_by(event, what):
            return replace(event, author=Member(event.author.id, ""))
        case _:
            return event


def deletion(message: Message, date: float) -> Deleted:
    """Return the event by which clients learn that `message` was erased. No client can choose its id."""
    return Deleted(f"erased:{message.seq}", Member(message.author.id, ""), message.seq, date)


def withdrawal(seq: int, emoji: str, author: str, date: float, number: str) -> Reacted:
    """Return the event by which clients learn that a reaction was erased; `number` makes its id unique."""
    return Reacted(f"erased:{number}", Member(author, ""), seq, emoji, False, date)


def requoted(message: Message) -> Message:
    """Return a reply without the words that it quotes: the message that it answers was deleted before it was stored."""
    return message if message.reply is None else replace(message, reply=Quote(message.reply.seq, "", ""))


def _is_by(event: Deleted | Edited | Reacted, what: Erased) -> bool:
    return event.author.id == what.author and (what.before is None or event.date < what.before)
