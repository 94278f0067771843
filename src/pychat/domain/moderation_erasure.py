"""Erasing a member from the moderation records and the audit log of a room."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed

__all__ = ["erased_entry", "erased_moderated", "erasing_changes"]

#: The fields of `data` with the id of the member whom the record is about, and those with words that were written.
_ABOUT = ("id", "member", "author")
_WORDS = ("reason", "text")
#: Records that are of no use without their words.
_WAITING = ("asking", "held")


def erasing_changes(records: Iterable[Record], author: str) -> tuple[Record | Removed, ...]:
    """Return the changes that take the member's name, and the reasons and texts, out of the records.

    What waits for a moderator's answer is removed: a message that was held, and a person who asks to get in.
    """
    changes = list[Record | Removed]()
    for record in records:
        about = _names(record.key, author)
        data = _erased_data(record.data, author, about=about)
        if data != record.data:
            waits = record.kind in _WAITING and (about or _is_about(record.data, author))
            changes.append(Removed(record.kind, record.key) if waits else replace(record, data=data))
    return tuple(changes)


def erased_entry(entry: AuditEntry, author: str) -> AuditEntry:
    """Return the entry without the member's name, and without its reason if it is by or about the member."""
    about = _names(entry.target, author)
    by = entry.by.id == author
    return replace(
        entry,
        by=Member(author, "") if by else entry.by,
        name="" if about else entry.name,
        reason="" if by or about else entry.reason,
        data=_erased_data(entry.data, author, about=about, named=by),
    )


def erased_moderated(what: Moderated, author: str) -> Moderated:
    """Return what subscribers were told without the member's name, and the reasons and texts."""
    after = {(each.kind, each.key): each for each in erasing_changes(_records(what), author)}
    return replace(
        what,
        changes=tuple(after.get((each.kind, each.key), each) for each in what.changes),
        entry=None if what.entry is None else erased_entry(what.entry, author),
    )


def _records(what: Moderated) -> Iterable[Record]:
    return (each for each in what.changes if isinstance(each, Record))


def _names(key: str, author: str) -> bool:
    return key in (author, f"member:{author}")


def _is_about(data: Mapping[str, Any], author: str) -> bool:
    return any(data.get(name) == author for name in _ABOUT)


def _erased_data(data: Mapping[str, Any], author: str, *, about: bool = False, named: bool = False) -> dict[str, Any]:
    """Return `data` without the words, if it names the member, and without the name, if it is about the member."""
    about = about or _is_about(data, author)
    named = named or about or author in (each for each in data.values() if isinstance(each, str))
    return {name: _erased_value(name, value, author, about=about, named=named) for name, value in data.items()}


def _erased_value(name: str, value: object, author: str, *, about: bool, named: bool) -> object:
    match value:
        case Mapping():
            return _erased_data(value, author)
        case list() | tuple():
            return [_erased_value("", each, author, about=False, named=False) for each in value]
        case str() if (about and name == "name") or (named and name in _WORDS):
            return ""
        case _:
            return value
