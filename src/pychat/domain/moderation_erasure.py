"""Erasing from the moderation records and the audit log of a room: a member, or what reports quote of messages."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed

__all__ = ["ModerationErasure"]

#: The fields of `data` with the id of the member whom a record is about, and those with words that were written.
_ABOUT = ("member", "author")
_WORDS = ("reason", "text")
#: Records that are of no use without their words.
_WAITING = ("asking", "held")


@dataclass(frozen=True, slots=True)
class ModerationErasure:
    """Erases everything of `author`, and what is quoted of the messages with the numbers `seqs`."""

    author: str | None
    seqs: Collection[int] = ()

    @property
    def ids(self) -> tuple[str, ...]:
        """How records and entries name the member."""
        return () if self.author is None else (self.author, f"member:{self.author}")

    def changes(self, records: Iterable[Record]) -> tuple[Record | Removed, ...]:
        """Return the changes that take names, reasons and texts out of the records.

        What waits for a moderator's answer is removed: a message that was held, and a person who asks to get in.
        """
        changes = list[Record | Removed]()
        for record in records:
            about = record.key in self.ids or self._is_about(record.data)
            data = self._without(record.data, about=about)
            if data != record.data:
                waits = record.kind in _WAITING and about
                changes.append(Removed(record.kind, record.key) if waits else replace(record, data=data))
        return tuple(changes)

    def entry(self, entry: AuditEntry) -> AuditEntry:
        """Return the entry without the member's name, and without its reason if it is by or about the member."""
        about, by = entry.target in self.ids, entry.by.id == self.author
        return replace(
            entry,
            by=Member(entry.by.id, "") if by else entry.by,
            name="" if about else entry.name,
            reason="" if by or about else entry.reason,
            data=self._without(entry.data, about=about, named=by),
        )

    def moderated(self, what: Moderated) -> Moderated:
        """Return what subscribers were told, without the same."""
        changes = self.changes(each for each in what.changes if isinstance(each, Record))
        after = {(each.kind, each.key): each for each in changes}
        return replace(
            what,
            changes=tuple(after.get((each.kind, each.key), each) for each in what.changes),
            entry=None if what.entry is None else self.entry(what.entry),
        )

    def _is_about(self, data: Mapping[str, Any]) -> bool:
        return self.author is not None and any(data.get(name) == self.author for name in _ABOUT)

    def _without(self, data: Mapping[str, Any], *, about: bool = False, named: bool = False) -> dict[str, Any]:
        """Return `data` without the name if it is about the member, and without the words if it names the member."""
        about = about or self._is_about(data)
        named = named or about or (self.author is not None and self.author in map(_text, data.values()))
        target = data.get("target")
        quoted = isinstance(target, int) and target in self.seqs
        after = dict[str, Any]()
        for name, value in data.items():
            match value:
                case Mapping():
                    after[name] = self._without(value, about=value.get("id") == self.author)
                case str() if name == "name" and (about or quoted):
                    after[name] = ""
                case str() if name == "reason" and named:
                    after[name] = ""
                case str() if name == "text" and (named or quoted):
                    after[name] = ""
                case list() if name == "networks" and about:
                    after[name] = []
                case _:
                    after[name] = value
        return after


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
