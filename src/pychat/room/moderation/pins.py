"""The pinned messages of a room, as they stand. Records have only their numbers, so that no text is kept twice."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace

from pychat.domain.model import Deleted, Edited, LogEvent, Message
from pychat.domain.notices import Pinned
from pychat.domain.rules import quote

__all__ = ["Pins"]


class Pins:
    """The pinned messages of one room that exist, by number."""

    __slots__ = ("_find", "_known")

    def __init__(self, find: Callable[[int], Awaitable[Message | None]]) -> None:
        self._find = find
        self._known: dict[int, Pinned | None] = {}  # `None` is a message that does not exist any more

    @property
    def shown(self) -> tuple[Pinned, ...]:
        """The pinned messages in the order in which they were pinned."""
        return tuple(each for each in self._known.values() if each is not None)

    async def load(self, seqs: Iterable[int]) -> None:
        """Look up the messages of these numbers, and forget all others. Raise `Refused`."""
        known = {}
        for seq in seqs:
            known[seq] = self._known[seq] if seq in self._known else await self._look_up(seq)
        self._known = known

    def knows(self, seqs: Iterable[int]) -> bool:
        """True if these are the known messages."""
        return list(self._known) == list(seqs)

    async def _look_up(self, seq: int) -> Pinned | None:
        message = await self._find(seq)
        return None if message is None or message.deleted else _pinned(message)

    def revised(self, event: LogEvent) -> bool:
        """A message was changed. Return `True` if it is pinned, and looks different now."""
        known = self._known.get(event.target) if isinstance(event, Edited | Deleted) else None
        if known is None or not isinstance(event, Edited | Deleted):
            return False
        changed = None
        if isinstance(event, Edited):
            changed = replace(known, text=quote(Message("", event.author, event.text, 0.0)).text)
        self._known[event.target] = changed
        return True

    def erased(self, seqs: Iterable[int]) -> bool:
        """Texts were erased. Return `True` if any of them was pinned."""
        gone = [seq for seq in seqs if self._known.get(seq) is not None]
        for seq in gone:
            self._known[seq] = None
        return bool(gone)


def _pinned(message: Message) -> Pinned:
    quoted = quote(message)
    return Pinned(message.seq, quoted.author, quoted.text)
