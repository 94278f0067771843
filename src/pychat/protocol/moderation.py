"""Encodes and decodes what the protocol says about moderation: settings, roles, mutes, the queue and the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pychat.domain.dates import iso
from pychat.domain.errors import Refused
from pychat.domain.model import Member
from pychat.domain.moderation import AuditEntry
from pychat.domain.notices import AccessChanged, Mute, Pinned, QueueChanged, RoomChanged, Welcome
from pychat.domain.roles import Role
from pychat.domain.strictjson import dumps

__all__ = [
    "LISTS",
    "decode_entry",
    "decode_mute",
    "decode_queue",
    "decode_refused",
    "decode_role",
    "decode_settings",
    "encode_entries",
    "encode_overview",
    "encode_queue",
    "encode_settings",
    "encode_standing",
]

_Fields = dict[str, Any]
_Received = Mapping[str, Any]

#: What moderators can set, as events tell it, beside the title.
_SETTINGS = ("topic", "slow", "writing", "entry", "pinned")


def encode_settings(room: RoomChanged) -> _Fields:
    """The fields of the event `room`."""
    pinned = [{"seq": each.seq, "author": each.author, "text": each.text} for each in room.pinned]
    return {
        "title": room.title,
        "topic": room.topic,
        "slow": room.slow,
        "writing": room.writing,
        "entry": room.entry,
        "pinned": pinned,
    }


def encode_standing(told: Welcome | AccessChanged) -> _Fields:
    """The role of a visitor, unless it is `guest`, and their mute."""
    fields: _Fields = {} if told.role is Role.GUEST else {"role": told.role.label}
    if told.muted is not None:
        until = {} if told.muted.until is None else {"until": iso(told.muted.until)}
        fields["muted"] = {**until, "reason": told.muted.reason}
    return fields


def encode_queue(queue: QueueChanged) -> _Fields:
    """The fields of the event `queue`."""
    return {"reports": queue.reports, "held": queue.held, "asking": queue.asking}


def encode_entries(found: Sequence[AuditEntry], limit: int) -> _Fields:
    """The newest `limit` entries of `found`, as the answer to `audit`; `more` is true if there are older ones."""
    return {"entries": [_entry(each) for each in found[:limit]], "more": len(found) > limit}


def _entry(entry: AuditEntry) -> _Fields:
    fields: _Fields = {
        "number": entry.number,
        "date": iso(entry.date),
        "by": {"id": entry.by.id, "name": entry.by.name},
        "action": entry.action,
    }
    for name in ("target", "name", "reason"):
        if value := getattr(entry, name):
            fields[name] = value
    if entry.until is not None:
        fields["until"] = iso(entry.until)
    return {**fields, "data": dict(entry.data)} if entry.data else fields


#: The kinds of records, in the order in which they are told, and the names of their lists.
LISTS: Mapping[str, str] = {
    "pin": "pins",
    "report": "reports",
    "held": "held",
    "asking": "asking",
    "invite": "invites",
    "ban": "bans",
    "mute": "mutes",
    "role": "roles",
}
#: What the key of a record is called.
_KEYS = {"pin": "target", "invite": "invite", "role": "member"}
_MAX_BYTES = 256 * 1024


def encode_overview(overview: Mapping[str, Any]) -> _Fields:
    """The answer to `moderation`: `overview` of the room, as far as it fits into 256 KiB, the newest entries first.

    Each list has room for 32 KiB, however long the others are.
    """
    fields: _Fields = {"settings": overview["settings"], **{name: [] for name in LISTS.values()}, "more": False}
    waiting = {kind: iter(reversed(overview[kind])) for kind in LISTS}
    size = 0
    for share in (_MAX_BYTES // len(LISTS), _MAX_BYTES):
        for kind, records in waiting.items():
            end = min(_MAX_BYTES, size + share)
            while size < end and (record := next(records, None)) is not None:
                told = _record(kind, record)
                if told is not None:
                    size += len(dumps(told).encode())
                    fields[LISTS[kind]].append(told)
    more = any(_record(kind, each) for kind, records in waiting.items() for each in records)
    return {**fields, "more": more or overview.get("more", False)}


def _record(kind: str, record: Mapping[str, Any]) -> _Fields | None:
    """A record as moderators see it; `None` if somebody has decided on it."""
    key, told = record["key"], {name: value for name, value in record.items() if name != "key"}
    if told.get("rejected") or told.get("approved"):
        return None
    if "date" in told:
        told["date"] = iso(told["date"])
    if kind == "report":
        told["by_name"] = told.pop("reporter", {}).get("name", "")
    if kind in ("ban", "mute"):
        what, _, key = key.partition(":")
        return {**told, ("network" if what == "address" else "member"): key}
    return {**told, _KEYS.get(kind, "item"): int(key) if kind == "pin" else key}


# Decoded. A field of the wrong type raises `KeyError`, `TypeError` or `ValueError`; unknown fields are ignored.


def decode_entry(fields: _Received) -> AuditEntry:
    """An entry of the audit log."""
    by, until = fields["by"], fields.get("until")
    return AuditEntry(
        datetime.fromisoformat(fields["date"]).timestamp(),
        Member(str(by["id"]), str(by["name"])),
        str(fields["action"]),
        str(fields.get("target", "")),
        str(fields.get("name", "")),
        str(fields.get("reason", "")),
        None if until is None else datetime.fromisoformat(until).timestamp(),
        dict(fields.get("data", {})),
        int(fields["number"]),
    )


def decode_settings(fields: _Received, title: str) -> RoomChanged | None:
    """The settings in an event; `None` if it has none but the title."""
    if not any(name in fields for name in _SETTINGS):
        return None
    return RoomChanged(
        title,
        str(fields.get("topic", "")),
        int(fields.get("slow", 0)),
        str(fields.get("writing", "all")),
        str(fields.get("entry", "open")),
        tuple(Pinned(int(each["seq"]), str(each["author"]), str(each["text"])) for each in fields.get("pinned", ())),
    )


def decode_role(fields: _Received) -> Role:
    """The role in an event; guests have none there."""
    label = fields.get("role")
    return next((role for role in Role if role.label == label), Role.GUEST)


def decode_mute(fields: _Received) -> Mute | None:
    """The mute in an event, if any."""
    muted = fields.get("muted")
    if muted is None:
        return None
    until = muted.get("until")
    return Mute(None if until is None else datetime.fromisoformat(until).timestamp(), str(muted.get("reason", "")))


def decode_queue(fields: _Received) -> QueueChanged:
    """What waits for moderators."""
    return QueueChanged(*(int(fields.get(name, 0)) for name in ("reports", "held", "asking")))


def decode_refused(error: _Received) -> Refused:
    """The refusal in an answer or in the event `error`. A field that makes no sense is taken as missing."""
    wait, until, ends = error.get("retry_after"), error.get("until"), None
    if isinstance(until, str):
        try:
            ends = datetime.fromisoformat(until).timestamp()
        except (ValueError, OverflowError):
            ends = None
    usual = isinstance(wait, int | float) and not isinstance(wait, bool)
    return Refused(str(error.get("code")), str(error.get("text")), wait if usual else None, ends)
