"""The rulebook of invitations and of the queue: one function for each action, as in `moderation_rules`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain.decision import Actor, Decision, Subject
from pychat.domain.errors import Refused
from pychat.domain.moderation import AuditEntry, Record, Removed
from pychat.domain.moderation_state import ModerationState
from pychat.domain.queue import MAX_HELD, MAX_REJECTED, approved_record, is_approved, is_rejected, rejected_record
from pychat.domain.roles import Role

__all__ = ["approve", "beyond", "invite", "left_by", "reject", "resolve", "revoke"]

_Fields = Mapping[str, Any]


def invite(
    _state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision:
    """Make an invitation. The field `invite` is its id, which is made of its token: see `invitation_id`."""
    role = Role.of(fields.get("role", Role.MEMBER.label))
    if role < Role.MEMBER:
        raise Refused("bad_request", "An invitation gives the role “member”, “moderator” or “owner”.")
    if role > Role.MEMBER and actor.rank < Role.OWNER:
        raise Refused("forbidden", "Only owners give the roles “moderator” and “owner”.")
    key, uses, seconds = fields["invite"], fields.get("uses"), fields.get("seconds")
    until = None if seconds is None else now + seconds
    data: dict[str, Any] = {"role": role.label, "by": actor.member.id, "date": now}
    if uses is not None:
        if uses < 1:
            raise Refused("bad_request", "“uses” is 1 or more.")
        data["uses"] = uses
    entry = AuditEntry(now, actor.member.bare, action, key, until=until, data={"role": role.label, "uses": uses})
    return Decision((Record("invite", key, data, until),), entry)


def revoke(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision:
    """Revoke an invitation: nobody can use it any more. Whoever has used it keeps the role."""
    key = fields["invite"]
    if state.get("invite", key) is None:
        raise Refused("not_found", "There is no such invitation (any more).")
    return Decision((Removed("invite", key),), AuditEntry(now, actor.member.bare, action, key))


def approve(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision | None:
    """Approve a held message, which the room then stores, or let somebody in. `None` if it is approved already."""
    kind, record = _item(state, fields["item"])
    entry = _entry(action, kind, record, actor, now)
    if kind == "held":
        return None if is_approved(record) else Decision((approved_record(record),), entry)
    member_id = record.data["member"]
    role = {"role": Role.MEMBER.label, "name": record.data["name"], "by": actor.member.id}
    known = state.get("role", member_id)
    changes = (Removed(kind, record.key), *(() if known else (Record("role", member_id, role),)))
    return Decision(changes, entry)


def reject(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision | None:
    """Reject a held message, or somebody who asks to come in: that person cannot ask again for some minutes."""
    kind, record = _item(state, fields["item"])
    reason = " ".join(fields.get("reason", "").split())
    if is_approved(record):
        raise _decided()
    if is_rejected(record):
        return None
    forget = kind == "held" and len(state.of("held")) >= MAX_HELD + MAX_REJECTED
    change = Removed(kind, record.key) if forget else rejected_record(record, reason, now)
    return Decision((change,), _entry(action, kind, record, actor, now, reason))


def resolve(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision:
    """Take a report out of the queue."""
    record = state.get("report", fields["item"])
    if record is None:
        raise _decided()
    return Decision((Removed("report", record.key),), _entry(action, "report", record, actor, now))


def left_by(state: ModerationState, member_id: str) -> list[Removed]:
    """What a banned member leaves behind: held messages, a request to come in, reports, and invitations."""
    return [
        Removed(kind, record.key)
        for kind, whose in (("held", "member"), ("asking", "member"), ("report", "by"), ("invite", "by"))
        for record in state.of(kind).values()
        if record.data.get(whose) == member_id and not (is_approved(record) or is_rejected(record))
    ]


def beyond(state: ModerationState, member_id: str, role: Role) -> list[Removed]:
    """The invitations of a member that give more than somebody of this `role` may give."""
    most = {Role.MODERATOR: Role.MEMBER, Role.OWNER: Role.OWNER}.get(role, Role.GUEST)
    return [
        Removed("invite", record.key)
        for record in state.of("invite").values()
        if record.data.get("by") == member_id and Role.of(record.data["role"]) > most
    ]


def _item(state: ModerationState, key: str) -> tuple[str, Record]:
    """The kind and the record of a held message, or of somebody who asks to come in. Raise `Refused`."""
    for kind in ("held", "asking"):
        record = state.get(kind, key)
        if record is not None:
            if kind == "held" and is_rejected(record):
                break
            return kind, record
    raise _decided()


def _decided() -> Refused:
    return Refused("not_found", "This is no longer in the queue: another moderator has decided, or it has run out.")


def _entry(action: str, kind: str, record: Record, actor: Actor, now: float, reason: str = "") -> AuditEntry:
    """The entry about the author of a message, or about somebody who asks to come in."""
    data = record.data
    more = {"target": data["target"]} if kind == "report" else {"id": data["id"]} if kind == "held" else {}
    return AuditEntry(now, actor.member.bare, action, data["member"], data["name"], reason, data={"kind": kind, **more})
