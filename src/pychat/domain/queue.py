"""What waits for the moderators of a room: reports, held messages, and people who ask to come in. Rules and records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Member, Message, Quote
from pychat.domain.moderation import Record
from pychat.domain.moderation_state import ModerationState
from pychat.domain.notices import QueueChanged

__all__ = [
    "MAX_ASKING",
    "MAX_HELD",
    "MAX_HELD_BY_ONE",
    "MAX_REJECTED",
    "MAX_REPORTS",
    "MAX_REPORTS_BY_ONE",
    "Held",
    "Report",
    "approved_record",
    "asking_key",
    "asking_record",
    "held_key",
    "held_message",
    "held_record",
    "invitation_id",
    "is_approved",
    "is_rejected",
    "queue_of",
    "rejected_record",
    "report_key",
    "report_record",
]

# In one room.
MAX_REPORTS, MAX_REPORTS_BY_ONE = 1_000, 50
MAX_HELD, MAX_HELD_BY_ONE = 500, 20
#: Rejected messages whose authors are told so when they come back.
MAX_REJECTED = 500
MAX_ASKING = 500
_MAX_REASON = 300  # characters of a reason, or of what somebody writes who asks to come in
_QUOTED = 500  # characters of a reported message that the report keeps, because its author may change it
_DAY = 86_400.0
_REPORT_SECONDS = 90 * _DAY
_HELD_SECONDS = 30 * _DAY
_ASKING_SECONDS = _DAY
#: How long somebody who was rejected is told so, and cannot ask again.
_REJECTED_SECONDS = 600.0


class Held(Refused):
    """A hook for `message` raises this: the message is stored for the moderators, who approve or reject it.

    `reason` is for the moderators. The author sees that the message waits. An edit cannot be held, and is refused.
    """

    def __init__(self, reason: str = "") -> None:
        text = "A moderator has to read this text first. An edit cannot wait for that: send it as a new message."
        super().__init__("held", text)
        self.reason = reason[:_MAX_REASON]
        #: The message as the hooks before have changed it.
        self.message: Message | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Somebody reported a message to the moderators: what the hook `report` gets. `id` is that of the report."""

    id: str
    message: Message
    by: Member
    reason: str
    date: float


def report_key(member_id: str, seq: int) -> str:
    """The id of the report of a message by a member: each member reports a message once."""
    return _key("report", member_id, str(seq))


def held_key(author_id: str, message_id: str) -> str:
    """The id under which a message is held: if its author sends it again, it is found."""
    return _key("held", author_id, message_id)


def asking_key(member_id: str) -> str:
    """The id of the request of a member who asks to come in."""
    return _key("asking", member_id)


def invitation_id(token: str) -> str:
    """The id of an invitation: its hash. The room never stores the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _key(kind: str, *parts: str) -> str:
    """An id that tells nobody what it was made of."""
    joined = "\0".join(parts).encode("utf-8", "surrogatepass")
    return f"{kind}-{hashlib.sha256(joined).hexdigest()[:24]}"


def report_record(records: Mapping[str, Record], report: Report) -> Record | None:
    """The record of a report; `None` if this member has reported the message before. Raise `Refused`.

    `records` are the reports of the room.
    """
    if report.id in records:
        return None
    if len(records) >= MAX_REPORTS:
        raise Refused("too_many", "Too many reports wait for the moderators. Try again later.")
    if sum(each.data.get("by") == report.by.id for each in records.values()) >= MAX_REPORTS_BY_ONE:
        raise Refused("too_many", f"{MAX_REPORTS_BY_ONE} of your reports wait for the moderators. That is enough.")
    message = report.message
    data = {
        "target": message.seq,
        "member": message.author.id,
        "name": message.author.name,
        "text": message.text[:_QUOTED],
        "by": report.by.id,
        "reporter": {"id": report.by.id, "name": report.by.name},
        "reason": report.reason,
        "date": report.date,
    }
    return Record("report", report.id, data, report.date + _REPORT_SECONDS)


def held_record(records: Mapping[str, Record], message: Message, reason: str) -> Record | None:
    """The record of a held message; `None` if it is held already. Raise `Refused`.

    `records` are the held messages of the room.
    """
    key = held_key(message.author.id, message.id)
    before = records.get(key)
    if before is not None and is_rejected(before):
        reason = before.data["reason"]
        raise Refused("held", f"A moderator has rejected this message{f': {reason}' if reason else '.'}")
    if before is not None:
        return None
    undecided = [each.data.get("member") for each in records.values() if not is_rejected(each)]
    if len(undecided) >= MAX_HELD:
        raise Refused("too_many", "Too many messages wait for the moderators. Try again later.")
    if undecided.count(message.author.id) >= MAX_HELD_BY_ONE:
        raise Refused("too_many", f"{MAX_HELD_BY_ONE} of your messages wait for a moderator. Wait for the answer.")
    data: dict[str, Any] = {
        "id": message.id,
        "member": message.author.id,
        "name": message.author.name,
        "text": message.text,
        "reason": reason,
        "date": message.date,
    }
    if message.reply is not None:
        data["reply"] = message.reply.seq
    return Record("held", key, data, message.date + _HELD_SECONDS)


def held_message(record: Record, date: float, reply: Quote | None) -> Message:
    """The message of a record, to be stored at `date`. `reply` quotes message number `record.data["reply"]`."""
    data = record.data
    return Message(data["id"], Member(data["member"], data["name"]), data["text"], date, reply=reply)


def asking_record(records: Mapping[str, Record], member_id: str, name: str, text: str, date: float) -> Record | None:
    """The record of somebody who asks to come in; `None` if they have asked before. Raise `Refused`.

    `records` are those who ask, and those who were rejected within ten minutes.
    """
    key = asking_key(member_id)
    if key in records:
        return None
    if len(records) >= MAX_ASKING:
        raise Refused("too_many", "Too many people ask to come in. Try again later.")
    data = {"member": member_id, "name": name, "text": text[:_MAX_REASON], "date": date}
    return Record("asking", key, data, date + _ASKING_SECONDS)


def approved_record(record: Record) -> Record:
    """The record of a held message that is approved: the room stores the message, and removes the record then."""
    return Record("held", record.key, {**record.data, "approved": True}, record.until)


def is_approved(record: Record) -> bool:
    """True for a held message that is approved."""
    return bool(record.data.get("approved"))


def is_rejected(record: Record) -> bool:
    """True for a held message, or somebody who asked to come in, whom a moderator has rejected."""
    return bool(record.data.get("rejected"))


def rejected_record(record: Record, reason: str, date: float) -> Record:
    """The record of what was rejected: the person is told so when they come back, or ask again.

    Somebody who asked to come in cannot ask again for ten minutes. The text of a message is forgotten.
    """
    data = {**record.data, "rejected": True, "reason": reason}
    if record.kind == "held":
        return Record("held", record.key, {**data, "text": ""}, date + _DAY)
    return Record(record.kind, record.key, data, date + _REJECTED_SECONDS)


def queue_of(state: ModerationState) -> QueueChanged:
    """How much waits for the moderators."""
    asking = sum(not is_rejected(each) for each in state.of("asking").values())
    held = sum(not (is_approved(each) or is_rejected(each)) for each in state.of("held").values())
    return QueueChanged(len(state.of("report")), held, asking)
