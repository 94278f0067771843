"""The table of moderators' actions, of which the protocol, the HTTP API, the shell and the docs are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from pychat.domain.errors import Refused
from pychat.domain.roles import Role

__all__ = ["ACTIONS", "FIELDS", "Action", "Field", "accept_action"]


class Action(NamedTuple):
    """One action of moderators."""

    #: The fields that must be given. “member” also stands for “network”, where `optional` has that.
    required: tuple[str, ...]
    optional: tuple[str, ...]
    #: The lowest role that may do it.
    role: Role
    #: One line for the docs.
    says: str


class Field(NamedTuple):
    """One field of actions."""

    #: `str`, `int` or `bool`.
    kind: type
    says: str
    #: The highest number, or the longest text in characters.
    most: int = 0
    choices: tuple[str, ...] = ()
    #: The lowest number.
    least: int = 0


_YEAR = 366 * 86_400
#: Every field of actions.
FIELDS: Mapping[str, Field] = {
    "member": Field(str, "the id of a member", 200),
    "network": Field(str, "an address or a network, for example 203.0.113.7 or 203.0.113.0/24", 64),
    "seconds": Field(int, "how long, in seconds; without it there is no end", 10 * _YEAR, least=1),
    "reason": Field(str, "the reason, which the person can read", 300),
    "address": Field(
        bool, "whether the person's address is meant too; by default, if it is a guest's and nobody else here has it"
    ),
    "delete": Field(int, "delete the person's messages of the last so many seconds too", _YEAR),
    "role": Field(str, "the role", choices=tuple(role.label for role in Role)),
    "target": Field(int, "the number of a message", 2**53 - 1),
    "slow": Field(int, "seconds between two messages of one person; 0 is no limit", 86_400),
    "writing": Field(str, "who may write", choices=("all", "members", "moderators")),
    "entry": Field(str, "who may come in", choices=("open", "ask", "members", "closed")),
    "challenge": Field(bool, "whether guests solve a challenge before they come in"),
    "password": Field(str, "the password of the room; an empty text removes it", 256),
    "title": Field(str, "the title of the room", 100),
    "topic": Field(str, "the topic of the room", 300),
    "uses": Field(int, "how many people can use the invitation; without it any number", 1_000_000),
    "invite": Field(str, "the id of an invitation", 100),
    "item": Field(str, "the id of a report, a held message, or a person who asks to come in", 100),
}

#: Every action, by name.
ACTIONS: Mapping[str, Action] = {
    "kick": Action(
        ("member",),
        ("seconds", "reason", "address"),
        Role.MODERATOR,
        "Remove a person, who cannot come back for a minute, or for `seconds`.",
    ),
    "ban": Action(
        ("member",),
        ("network", "seconds", "reason", "address", "delete"),
        Role.MODERATOR,
        "Remove a person or a network from the room, and let nobody in from there.",
    ),
    "unban": Action(("member",), ("network", "reason"), Role.MODERATOR, "End a ban."),
    "mute": Action(
        ("member",),
        ("network", "seconds", "reason", "address"),
        Role.MODERATOR,
        "Let a person or a network only read.",
    ),
    "unmute": Action(("member",), ("network", "reason"), Role.MODERATOR, "End a mute."),
    "role": Action(
        ("member", "role"),
        ("reason",),
        Role.MODERATOR,
        "Give a person a role. Only owners give or take “moderator” and “owner”.",
    ),
    "clear": Action(
        ("member", "seconds"),
        ("reason",),
        Role.MODERATOR,
        "Delete all messages of a person from the last `seconds`, at most 1,000 of them.",
    ),
    "sweep": Action(
        ("seconds",),
        ("reason",),
        Role.MODERATOR,
        "Delete all messages of guests from the last `seconds`, at most 1,000 of them: for the time after a raid.",
    ),
    "pin": Action(("target",), (), Role.MODERATOR, "Pin a message."),
    "unpin": Action(("target",), (), Role.MODERATOR, "Unpin a message."),
    "set": Action(
        (),
        ("slow", "writing", "entry", "challenge", "password", "title", "topic"),
        Role.MODERATOR,
        "Change settings of the room: those that are given.",
    ),
    "invite": Action(
        (),
        ("uses", "seconds", "role"),
        Role.MODERATOR,
        "Make an invitation. The answer has its token, which is told once.",
    ),
    "revoke": Action(("invite",), (), Role.MODERATOR, "Revoke an invitation."),
    "approve": Action(("item",), (), Role.MODERATOR, "Publish a held message, or let a person in who asks."),
    "reject": Action(("item",), ("reason",), Role.MODERATOR, "Reject a held message, or a person who asks to come in."),
    "resolve": Action(("item",), (), Role.MODERATOR, "Take a report out of the queue."),
}


#: What stands beside the fields of an action: which one it is, the room, and the program's name in the audit log.
_AROUND = ("action", "room", "author")


def accept_action(name: object, given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of the action `name` that are given, without those that are `None` or say which action it is where.

    Raise `Refused` with `bad_request` for an unknown action, or for a field that is unknown, missing or invalid: a ban
    with a misspelt “seconds” would have no end.
    """
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None:
        raise Refused("bad_request", f"“action” is one of: {', '.join(ACTIONS)}.")
    names = (*action.required, *action.optional)
    for each in given:
        if each not in names and each not in _AROUND:
            raise Refused("bad_request", f"“{name}” has no field {each[:40]!a}. It has: {', '.join(names)}.")
    fields = {each: _accept(each, given[each]) for each in names if given.get(each) is not None}
    if "network" in fields and "member" not in fields:
        return fields
    for each in action.required:
        if fields.get(each, "") == "":
            raise Refused("bad_request", f"“{name}” needs “{each}”: {FIELDS[each].says}.")
    return fields


def _accept(name: str, value: object) -> str | int | bool:
    field = FIELDS[name]
    if field.kind is bool and isinstance(value, bool):
        return value
    if field.kind is int and isinstance(value, int) and not isinstance(value, bool):
        if field.least <= value <= field.most:
            return value
        raise Refused("bad_request", f"“{name}” must be from {field.least} to {field.most:,}.")
    if field.kind is str and isinstance(value, str) and (value in field.choices or not field.choices):
        if field.most and len(value) > field.most:
            raise Refused("bad_request", f"“{name}” can have {field.most} characters at most.")
        return value
    expected = "true or false" if field.kind is bool else "a whole number"
    if field.kind is str:
        expected = f"one of: {', '.join(field.choices)}" if field.choices else "a text"
    raise Refused("bad_request", f"“{name}” must be {expected}.")
