"""The fields of moderators' actions: what is accepted, and what is refused with which words."""

from __future__ import annotations

from typing import Any

import pytest

from pychat.domain.actions import ACTIONS, FIELDS, accept_action
from pychat.domain.errors import Refused


def test_each_field_of_an_action_is_known() -> None:
    """The two tables fit together."""
    used = {field for action in ACTIONS.values() for field in (*action.required, *action.optional)}
    assert used == set(FIELDS)


@pytest.mark.parametrize(
    ("action", "given", "says"),
    [
        ("fly", {}, "one of: kick, ban"),
        (None, {}, "one of: kick, ban"),
        ("ban", {}, "needs “member”"),
        ("ban", {"member": 7}, "must be a text"),
        ("ban", {"member": "x" * 201}, "200 characters"),
        ("ban", {"member": "x", "seconds": 0}, "from 1 to"),
        ("ban", {"member": "x", "seconds": -1}, "from 1 to"),
        ("ban", {"member": "x", "seconds": True}, "a whole number"),
        ("ban", {"member": "x", "seconds": 1.5}, "a whole number"),
        ("ban", {"member": "x", "seconds": 10**20}, "from 1 to"),
        ("ban", {"member": "x", "address": "yes"}, "true or false"),
        ("role", {"member": "x", "role": "king"}, "one of: reader"),
        ("kick", {"network": "203.0.113.7"}, "“kick” has no field 'network'"),
        ("ban", {"member": "x", "second": 60}, "“ban” has no field 'second'"),
        ("clear", {"member": "x"}, "needs “seconds”"),
    ],
)
def test_what_is_refused(action: object, given: dict[str, Any], says: str) -> None:
    """The text says which field is meant."""
    with pytest.raises(Refused, match=says) as refusal:
        accept_action(action, given)
    assert refusal.value.code == "bad_request"


def test_what_is_not_given_is_left_out() -> None:
    """Fields that are null do not count, nor does what stands around them."""
    given = {"member": "x", "seconds": None, "action": "ban", "room": "tea"}
    assert accept_action("ban", given) == {"member": "x"}
    assert accept_action("unban", {"network": "203.0.113.7"}) == {"network": "203.0.113.7"}
