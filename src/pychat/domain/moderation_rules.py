"""The rulebook of moderation: `decide` makes an action into changes of the records, or refuses; it changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from pychat.domain.actions import ACTIONS
from pychat.domain.blanks import visible
from pychat.domain.decision import Actor, Decision, Subject
from pychat.domain.errors import Refused
from pychat.domain.moderation import AuditEntry, Record, Removed
from pychat.domain.moderation_state import ADDRESS, DEFAULTS, MEMBER, ModerationState
from pychat.domain.networks import parse_network
from pychat.domain.queue_rules import approve, beyond, invite, left_by, reject, resolve, revoke
from pychat.domain.roles import PROGRAM_RANK, Role

__all__ = ["BOUNDS", "Actor", "Decision", "Subject", "decide"]

#: How many records of a kind a room can have.
BOUNDS: Mapping[str, int] = {
    "role": 10_000,
    "ban": 10_000,
    "mute": 10_000,
    "pin": 50,
    "invite": 1_000,
    "report": 1_000,
    "held": 500,
    "asking": 500,
}
_KICK_SECONDS = 60
_SECRET = frozenset({"password"})  # settings whose values are in no audit log


_Fields = Mapping[str, Any]
_Decide = Callable[[ModerationState, str, _Fields, Actor, Subject | None, float], Decision | None]


def decide(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, subject: Subject | None, now: float
) -> Decision | None:
    """What `action` with valid `fields` changes at `now` (seconds since 1970); `None` if nothing.

    `subject` is the member of the field `member`, if it is given. Raise `Refused`.
    """
    if actor.rank < ACTIONS[action].role:
        raise Refused("forbidden", "Only moderators of this room may do this.")
    decision = _DECIDE[action](state, action, fields, actor, subject, now)
    if decision is not None:
        _check_bounds(state, decision)
    return decision


def _check_bounds(state: ModerationState, decision: Decision) -> None:
    for kind in {change.kind for change in decision.changes}:
        most = BOUNDS.get(kind)
        if most is None:
            continue
        mine = [change for change in decision.changes if change.kind == kind]
        added = sum(isinstance(each, Record) and state.get(kind, each.key) is None for each in mine)
        gone = sum(isinstance(each, Removed) for each in mine)
        if added and len(state.of(kind)) + added - gone > most:
            raise Refused("too_many", f"This room has {most:,} records of this kind, which is the maximum.")


def _entry(
    action: str, fields: _Fields, actor: Actor, now: float, *, target: str = "", name: str = "", **data: object
) -> AuditEntry:
    return AuditEntry(now, actor.member.bare, action, target, name, _reason(fields), data=data)


def _reason(fields: _Fields) -> str:
    return _line(fields.get("reason", ""))


def _line(text: str) -> str:
    """A text on one line; empty if nothing of it is visible."""
    text = " ".join(text.split())
    if "\0" in text or any("\ud800" <= each <= "\udfff" for each in text):
        raise Refused("bad_request", "The text is not valid Unicode, or has a NUL character.")
    return text if visible(text) else ""


# Bans, mutes, kicks.


def _exclude(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, subject: Subject | None, now: float
) -> Decision | None:
    """Kick, ban, mute."""
    kind = "mute" if action == "mute" else "ban"
    seconds = fields.get("seconds") or (_KICK_SECONDS if action == "kick" else None)
    until = None if seconds is None else now + seconds
    data: dict[str, Any] = {"reason": _reason(fields), "rank": int(actor.rank), "by": actor.member.id}
    if action == "kick":
        data["kick"] = True
    if subject is None:
        network = parse_network(fields["network"])
        keys, target, name = [ADDRESS + network], network, ""
    else:
        _check_outranks(actor, subject)
        if kind == "ban":
            _check_owner_stays(state, subject)
        target, name = subject.id, subject.name
        data |= {"name": name, "member": subject.id}
        address = fields.get("address")
        if address is not False and not subject.id.startswith("user:"):
            data["address"] = True if address else "alone"  # servers that this person is connected to do the same
        wanted = address if address is not None else subject.alone
        keys = [MEMBER + subject.id]
        if wanted and not subject.id.startswith("user:") and state.anonymous(subject.id, subject.role):
            keys += [ADDRESS + network for network in subject.networks]
        if "network" in fields:
            keys.append(ADDRESS + parse_network(fields["network"]))
    changes: list[Record | Removed] = []
    for key in dict.fromkeys(keys):
        before = state.get(kind, key)
        if before is not None and before.data.get("rank", 0) > actor.rank:
            raise Refused("forbidden", "Somebody of a higher role has decided this. Ask them to change it.")
        if before is not None and action == "kick" and (before.until is None or (until or 0) <= before.until):
            continue  # a kick does not shorten a ban
        changes.append(Record(kind, key, data, until))
    if not changes:
        return None
    if action == "ban" and subject is not None:
        changes += left_by(state, subject.id)
    more = {"networks": [key.removeprefix(ADDRESS) for key in keys[1:]]} if len(keys) > 1 else {}
    entry = _entry(action, fields, actor, now, target=target, name=name, **more)
    return Decision(tuple(changes), replace(entry, until=until))


def _include(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, subject: Subject | None, now: float
) -> Decision | None:
    """Unban, unmute: with a member, also the networks that were banned or muted with them."""
    kind = action.removeprefix("un")
    if subject is None:
        target, name = parse_network(fields["network"]), ""
        keys = [ADDRESS + target]
    else:
        target, name = subject.id, subject.name
        keys = [key for key, record in state.of(kind).items() if record.data.get("member") == subject.id]
        if "network" in fields:
            keys.append(ADDRESS + parse_network(fields["network"]))
    found = [record for key in dict.fromkeys(keys) if (record := state.get(kind, key)) is not None]
    if not found:
        return None
    if any(record.data.get("rank", 0) > actor.rank for record in found):
        raise Refused("forbidden", "Somebody of a higher role has decided this. Ask them to change it.")
    changes = tuple(Removed(kind, record.key) for record in found)
    name = name or str(found[0].data.get("name", ""))
    return Decision(changes, _entry(action, fields, actor, now, target=target, name=name))


def _check_outranks(actor: Actor, subject: Subject) -> None:
    if subject.id == actor.member.id:
        raise Refused("forbidden", "You cannot do this to yourself.")
    if actor.rank <= subject.role:
        raise Refused("forbidden", f"{subject.name or 'This person'} has a role that is not below yours.")


def _check_owner_stays(state: ModerationState, subject: Subject) -> None:
    if state.stored_role(subject.id) is Role.OWNER and _owners(state) == 1:
        raise Refused("forbidden", "This is the last owner of the room. Make somebody else an owner first.")


def _owners(state: ModerationState) -> int:
    return sum(record.data["role"] == Role.OWNER.label for record in state.of("role").values())


# Roles.


def _give_role(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, subject: Subject | None, now: float
) -> Decision | None:
    assert subject is not None  # noqa: S101 -- a required field
    role, stored = Role.of(fields["role"]), state.stored_role(subject.id)
    before = Role.GUEST if stored is None else stored
    steps_down = subject.id == actor.member.id and role < subject.role
    if not steps_down and not (actor.rank > subject.role or actor.rank == subject.role == Role.OWNER):
        raise Refused("forbidden", f"{subject.name or 'This person'} has a role that is not below yours.")
    if not steps_down and max(role, subject.role) >= Role.MODERATOR and actor.rank < Role.OWNER:
        raise Refused("forbidden", "Only owners give or take the roles “moderator” and “owner”.")
    if role is not Role.OWNER:
        _check_owner_stays(state, subject)
    if role is before:
        return None
    key = subject.id
    record = Record("role", key, {"role": role.label, "name": subject.name, "by": actor.member.id})
    change = Removed("role", key) if role is Role.GUEST else record
    entry = _entry(action, fields, actor, now, target=key, name=subject.name, role=role.label, before=before.label)
    return Decision((change, *beyond(state, key, role)), entry)


# Pins and settings.


def _pin(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision | None:
    key = str(fields["target"])
    pinned = state.get("pin", key) is not None
    if pinned == (action == "pin"):
        return None
    change = Removed("pin", key) if pinned else Record("pin", key, {"by": actor.member.id, "date": now})
    return Decision((change,), _entry(action, fields, actor, now, target=key))


def _set(
    state: ModerationState, action: str, fields: _Fields, actor: Actor, _: Subject | None, now: float
) -> Decision | None:
    changes: list[Record | Removed] = []
    told: dict[str, Any] = {}
    for name, default in DEFAULTS.items():
        value = fields.get(name)
        if value is None:
            continue
        if name in ("title", "topic"):
            value = _line(value)
        if value != state.setting(name):
            data = {"value": value}
            if name == "topic":
                data |= {"by": actor.member.id, "date": now}
            changes.append(Removed("setting", name) if value == default else Record("setting", name, data))
            told[name] = bool(value) if name in _SECRET else value
    return Decision(tuple(changes), _entry(action, fields, actor, now, **told)) if changes else None


def _note(
    _state: ModerationState, action: str, fields: _Fields, actor: Actor, subject: Subject | None, now: float
) -> Decision | None:
    """Only an entry: what is done is not in the records."""
    if subject is not None and actor.rank < PROGRAM_RANK and actor.member.id != subject.id:
        _check_outranks(actor, subject)
    target, name = ("", "") if subject is None else (subject.id, subject.name)
    entry = _entry(
        action, fields, actor, now, target=target, name=name, seconds=fields["seconds"],
        deleted=fields.get("deleted", 0),
    )  # fmt: skip
    return Decision((), entry)


#: By name of the action.
_DECIDE: dict[str, _Decide] = {
    "kick": _exclude,
    "ban": _exclude,
    "unban": _include,
    "mute": _exclude,
    "unmute": _include,
    "role": _give_role,
    "clear": _note,
    "sweep": _note,
    "pin": _pin,
    "unpin": _pin,
    "set": _set,
    "invite": invite,
    "revoke": revoke,
    "approve": approve,
    "reject": reject,
    "resolve": resolve,
}
