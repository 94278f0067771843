"""Decodes the actions of moderators, from the table of actions: the command `moderate`, on every wire and over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pychat.domain.actions import accept_action

__all__ = ["decode_action"]


def decode_action(fields: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name of an action and its fields, from `{"action": "ban", "member": "…"}`. Raise `Refused`.

    Fields that the action does not have are left out, and so are those that are `null`.
    """
    name = fields.get("action")
    given = accept_action(name, fields)
    return str(name), given
