"""What stands on the screen, from top to bottom: messages as they stand, notices, and what is not sent yet. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pychat.domain.model import Deleted, Edited, Message, Reacted
from pychat.domain.revision import revise

__all__ = ["Entry", "Log"]

_MOST = 5_000


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One thing on the screen. A change makes another one.

    A `notice`, an `error` and a `help` have a `text`; the others a `message`, of which those `pending` or `failed` have
    no number yet, and `text` says why.
    """

    kind: Literal["message", "pending", "failed", "notice", "error", "help", "mark"]
    text: str = ""
    message: Message | None = None

    @property
    def seq(self) -> int:
        """The number of the message; 0 for what has none."""
        return 0 if self.message is None else self.message.seq


class Log:
    """Entries in their order. Messages by number; the rest where it came; what is not sent at the end."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: Whether there are older messages than the oldest here.
        self.more = False

    def reset(self, messages: Sequence[Message], *, more: bool) -> None:
        """Forget all but what is not sent."""
        self.entries = [Entry("message", message=message) for message in messages] + self.unsent
        self.more = more

    @property
    def unsent(self) -> list[Entry]:
        """What is on its way, or was refused."""
        return self.entries[self._settled() :]

    @property
    def messages(self) -> list[Message]:
        """The messages of the room, oldest first."""
        return [entry.message for entry in self.entries if entry.kind == "message" and entry.message is not None]

    def find(self, seq: int) -> Message | None:
        """The message of that number, if it is here."""
        for entry in reversed(self.entries):
            if entry.kind == "message" and entry.seq <= seq:
                return entry.message if entry.seq == seq else None
        return None

    def add(self, message: Message) -> None:
        """A message of the room; if it is one of ours that was on its way, it has arrived."""
        if self.find(message.seq) is not None:
            return
        for entry in self.unsent:
            if entry.message is not None and entry.message.id == message.id:
                self.entries.remove(entry)
        self._insert(Entry("message", message=message))
        if len(self.entries) > _MOST:
            del self.entries[:-_MOST]
            self.more = True

    def older(self, messages: Sequence[Message], *, more: bool) -> None:
        """Messages from before the oldest here."""
        first = next((message.seq for message in self.messages), None)
        new = [message for message in messages if first is None or message.seq < first]
        self.entries[:0] = [Entry("message", message=message) for message in new]
        self.more = more

    def revise(self, event: Edited | Deleted | Reacted) -> None:
        """What became of a message, if it is here."""
        for index, entry in enumerate(self.entries):
            if entry.kind == "message" and entry.message is not None and entry.seq == event.target:
                self.entries[index] = replace(entry, message=revise(entry.message, event))
                return

    def pend(self, message: Message) -> None:
        """One of ours that is on its way."""
        self.entries.append(Entry("pending", message=message))

    def fail(self, message_id: str, why: str) -> None:
        """It was refused."""
        for index, entry in enumerate(self.entries):
            if entry.kind == "pending" and entry.message is not None and entry.message.id == message_id:
                self.entries[index] = replace(entry, kind="failed", text=why)

    def tell(self, text: str, kind: Literal["notice", "error", "help"] = "notice") -> None:
        """Something that is not of the room's log."""
        self._insert(Entry(kind, text))

    def tell_more(self, text: str) -> None:
        """A notice that goes on where the last one stood, if nothing has been said since."""
        last = self._settled() - 1
        entry = self.entries[last] if last >= 0 else None
        if entry is not None and entry.kind == "notice" and len(entry.text) + len(text) < 200:
            self.entries[last] = replace(entry, text=f"{entry.text}, {text}")
        else:
            self.tell(text)

    def mark(self) -> None:
        """Everything from here on is new."""
        if not any(entry.kind == "mark" for entry in self.entries):
            self._insert(Entry("mark"))

    def unmark(self) -> None:
        """All was seen."""
        self.entries = [entry for entry in self.entries if entry.kind != "mark"]

    def _settled(self) -> int:
        index = len(self.entries)
        while index and self.entries[index - 1].kind in ("pending", "failed"):
            index -= 1
        return index

    def _insert(self, entry: Entry) -> None:
        at = self._settled()
        index = at
        # The feed is in order, so this is the end, but for what was fetched meanwhile.
        while entry.seq and index:
            index -= 1
            seq = self.entries[index].seq
            if seq > entry.seq:
                at = index
            elif seq:
                break
        self.entries.insert(at, entry)
