"""The entries on the screen: messages as they stand, notices, and unsent messages. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pychat.domain.model import Deleted, Edited, Message, Reacted
from pychat.domain.revision import revise

__all__ = ["Entry", "Log"]

_MAX_ENTRIES = 5_000


@dataclass(frozen=True, eq=False, slots=True)
class Entry:
    """One immutable entry of the screen.

    A `notice`, an `error` and a `help` have a `text`. A `message` has a message. So have `pending` and `failed`, which
    have no number yet; the `text` of a `failed` one is the reason.
    """

    kind: Literal["message", "pending", "failed", "notice", "error", "help", "mark"]
    text: str = ""
    message: Message | None = None

    @property
    def seq(self) -> int:
        """The number of the message; 0 if there is none."""
        return 0 if self.message is None else self.message.seq


class Log:
    """Entries in order: messages by number, notices where they arrived, unsent messages at the end."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        #: Whether the room has messages older than the oldest one here.
        self.more = False

    def reset(self, messages: Sequence[Message], *, more: bool) -> None:
        """Replace all entries except the unsent ones."""
        self.entries = [Entry("message", message=message) for message in messages] + self.unsent
        self.more = more

    @property
    def unsent(self) -> list[Entry]:
        """Messages that are being sent, or were refused."""
        return self.entries[self._settled() :]

    @property
    def messages(self) -> list[Message]:
        """The messages of the room, oldest first."""
        return [entry.message for entry in self.entries if entry.kind == "message" and entry.message is not None]

    def find(self, seq: int) -> Message | None:
        """Return the message of that number, if it is here."""
        for entry in reversed(self.entries):
            if entry.kind == "message" and entry.seq <= seq:
                return entry.message if entry.seq == seq else None
        return None

    def add(self, message: Message) -> None:
        """Add a message of the room; it replaces our pending message with the same id."""
        if self.find(message.seq) is not None:
            return
        for entry in self.unsent:
            if entry.message is not None and entry.message.id == message.id:
                self.entries.remove(entry)
        self._insert(Entry("message", message=message))
        if len(self.entries) > _MAX_ENTRIES:
            del self.entries[:-_MAX_ENTRIES]
            self.more = True

    def older(self, messages: Sequence[Message], *, more: bool) -> None:
        """Add messages that are older than the oldest one here."""
        first = next((message.seq for message in self.messages), None)
        new = [message for message in messages if first is None or message.seq < first]
        self.entries[:0] = [Entry("message", message=message) for message in new]
        self.more = more

    def revise(self, event: Edited | Deleted | Reacted) -> None:
        """Apply an event to its message, if it is here."""
        for index, entry in enumerate(self.entries):
            if entry.kind == "message" and entry.message is not None and entry.seq == event.target:
                self.entries[index] = replace(entry, message=revise(entry.message, event))
                return

    def pend(self, message: Message) -> None:
        """Add a message of ours that is being sent."""
        self.entries.append(Entry("pending", message=message))

    def fail(self, message_id: str, why: str) -> None:
        """Mark a pending message as refused."""
        for index, entry in enumerate(self.entries):
            if entry.kind == "pending" and entry.message is not None and entry.message.id == message_id:
                self.entries[index] = replace(entry, kind="failed", text=why)

    def tell(self, text: str, kind: Literal["notice", "error", "help"] = "notice") -> None:
        """Add an entry that is not a message."""
        self._insert(Entry(kind, text))

    def tell_more(self, text: str) -> None:
        """Add a notice; join it to the last entry if that is a notice too."""
        last = self._settled() - 1
        entry = self.entries[last] if last >= 0 else None
        if entry is not None and entry.kind == "notice" and len(entry.text) + len(text) < 200:
            self.entries[last] = replace(entry, text=f"{entry.text}, {text}")
        else:
            self.tell(text)

    def mark(self) -> None:
        """Mark all entries from here on as new."""
        if not any(entry.kind == "mark" for entry in self.entries):
            self._insert(Entry("mark"))

    def unmark(self) -> None:
        """Remove the mark."""
        self.entries = [entry for entry in self.entries if entry.kind != "mark"]

    def _settled(self) -> int:
        index = len(self.entries)
        while index and self.entries[index - 1].kind in ("pending", "failed"):
            index -= 1
        return index

    def _insert(self, entry: Entry) -> None:
        at = self._settled()
        index = at
        # Events arrive in order, so this is the end, except for messages that were loaded meanwhile.
        while entry.seq and index:
            index -= 1
            seq = self.entries[index].seq
            if seq > entry.seq:
                at = index
            elif seq:
                break
        self.entries.insert(at, entry)
