"""Decodes the actions of moderators, from the table of actions: the command `moderate`, on every wire and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain.actions import ACTIONS, FIELDS
from pychat.domain.errors import Refused

__all__ = ["decode_action"]


def decode_action(fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of an action and its fields, from `{"action": "ban", "member": "…"}`. Raise `Refused`.

    Fields that the action does not have are left out, and so are those that are `null`.
    """
    name = fields.get("action")
    action = ACTIONS.get(name) if isinstance(name, str) else None
    if action is None or not isinstance(name, str):
        raise Refused("bad_request", f"“action” is one of: {', '.join(ACTIONS)}.")
    given = {
        field: _check(field, fields[field])
        for field in (*action.required, *action.optional)
        if fields.get(field) is not None
    }
    missing = [each for each in action.required if each not in given]
    if missing == ["member"] and "network" in given:
        missing = []
    if missing:
        raise Refused("bad_request", f"“{name}” needs “{missing[0]}”: {FIELDS[missing[0]].says}.")
    return name, given


def _check(name: str, value: object) -> str | int | bool:
    field = FIELDS[name]
    if field.kind is str:
        if not isinstance(value, str):
            raise Refused("bad_request", f"“{name}” must be a text.")
        if field.choices and value not in field.choices:
            raise Refused("bad_request", f"“{name}” is one of: {', '.join(field.choices)}.")
        if field.most and len(value) > field.most:
            raise Refused("bad_request", f"“{name}” can have {field.most} characters.")
        return value
    if field.kind is bool:
        if not isinstance(value, bool):
            raise Refused("bad_request", f"“{name}” must be true or false.")
        return value
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= field.most:
        raise Refused("bad_request", f"“{name}” must be a whole number from 0 to {field.most}.")
    return value
