"""The stored form of moderation records and audit entries: JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry, Moderated, Record, Removed
from pychat.domain.strictjson import dumps, loads

__all__ = ["as_stored", "decode_entry", "decode_record", "encode_entry", "encode_record", "from_fields", "to_fields"]


def encode_record(record: Record) -> str:
    """Encode `data` and `until` of a record."""
    return dumps([record.data, record.until])


def decode_record(kind: str, key: str, text: str) -> Record:
    """Decode a record. Raise `ValueError` if `encode_record` did not make the text."""
    data, until = loads(text)
    return Record(kind, key, data, until)


def encode_entry(entry: AuditEntry) -> str:
    """Encode an entry without its number."""
    return dumps(_entry_fields(entry))


def decode_entry(text: str, number: int) -> AuditEntry:
    """Decode the entry with that number. Raise `ValueError` or `TypeError` if `encode_entry` did not make the text."""
    return _entry(loads(text), number)


def to_fields(what: Moderated) -> dict[str, Any]:
    """Return the fields of `what` as JSON, in the order in which a number can be added at the end."""
    fields: dict[str, Any] = {"version": what.version, "changes": [_change_fields(each) for each in what.changes]}
    if what.entry is not None:
        fields["entry"] = _entry_fields(what.entry)
        if what.entry.number:
            fields["number"] = what.entry.number
    return fields


def from_fields(fields: Mapping[str, Any]) -> Moderated:
    """Return what `to_fields` has encoded."""
    entry = fields.get("entry")
    changes = tuple(Record(*each) if len(each) > 2 else Removed(*each) for each in fields["changes"])
    return Moderated(changes, fields["version"], None if entry is None else _entry(entry, fields.get("number", 0)))


def as_stored(what: Moderated) -> Moderated:
    """Return `what` as it is after it was stored. Raise `ValueError` or `TypeError` if it cannot be stored."""
    text = dumps(to_fields(what))
    text.encode()  # a lone surrogate cannot be stored
    return from_fields(loads(text))


def _change_fields(change: Record | Removed) -> list[Any]:
    if isinstance(change, Removed):
        return [change.kind, change.key]
    return [change.kind, change.key, change.data, change.until]


def _entry_fields(entry: AuditEntry) -> list[Any]:
    return [
        entry.date, entry.by.id, entry.by.name, entry.action, entry.target, entry.name, entry.reason, entry.until,
        entry.data,
    ]  # fmt: skip


def _entry(fields: list[Any], number: int) -> AuditEntry:
    date, id_, by, action, target, name, reason, until, data = fields
    return AuditEntry(date, Member(id_, by), action, target, name, reason, until, data, number)
