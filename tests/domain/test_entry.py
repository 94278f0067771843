"""Who may come into a room by its settings `entry`, `password` and `challenge`."""

from __future__ import annotations

from typing import Any

import pytest

from pychat.domain.entry import CHECKED, entry_refusal, ways_in
from pychat.domain.moderation import Record
from pychat.domain.moderation_state import ModerationState
from pychat.domain.roles import Role

PASSWORD = "scrypt$…"
GUEST, MEMBER, MODERATOR = Role.GUEST, Role.MEMBER, Role.MODERATOR


def room(**settings: Any) -> ModerationState:
    """The state of a room with these settings."""
    return ModerationState([Record("setting", name, {"value": value}) for name, value in settings.items()])


@pytest.mark.parametrize(
    ("settings", "role", "known", "code"),
    [
        ({}, GUEST, False, None),
        ({"password": PASSWORD}, GUEST, False, "entry_required"),
        ({"password": PASSWORD}, MEMBER, False, "entry_required"),  # a login alone opens no room with a password
        ({"password": PASSWORD}, MEMBER, True, None),
        ({"password": PASSWORD}, Role.READER, True, None),
        ({"entry": "ask"}, GUEST, False, "entry_required"),
        ({"entry": "ask"}, MEMBER, False, "entry_required"),
        ({"entry": "ask"}, MEMBER, True, None),
        ({"entry": "members"}, GUEST, False, "entry_required"),
        ({"entry": "members"}, MEMBER, False, None),
        ({"entry": "members", "password": PASSWORD}, MEMBER, False, "entry_required"),
        ({"entry": "closed"}, MEMBER, True, "room_closed"),
        ({"entry": "closed", "password": PASSWORD, "challenge": True}, MODERATOR, False, None),
        ({"challenge": True}, GUEST, False, "challenge_required"),
        ({"challenge": True}, GUEST, True, None),
        ({"challenge": True}, MEMBER, False, None),
        ({"challenge": True, "password": PASSWORD}, GUEST, False, "challenge_required"),
        ({"challenge": True, "entry": "closed"}, GUEST, False, "room_closed"),
    ],
)
def test_who_may_come_in(settings: dict[str, Any], role: Role, known: bool, code: str | None) -> None:
    """Moderators always may; known people unless the room is closed; all others what the settings say."""
    refused = entry_refusal(room(**settings), "abc", role, known=known)
    assert code == (None if refused is None else refused.code)


def test_a_solved_challenge_opens_a_room_that_asks_for_nothing_else() -> None:
    """A guest whose id the server has marked is let in; a password is asked for all the same."""
    assert entry_refusal(room(challenge=True), f"{CHECKED}abc", GUEST, known=False) is None
    refused = entry_refusal(room(challenge=True, password=PASSWORD), f"{CHECKED}abc", GUEST, known=False)
    assert refused is not None
    assert refused.code == "entry_required"
    unknown = entry_refusal(room(challenge=True), None, GUEST, known=False)
    assert unknown is not None
    assert unknown.code == "challenge_required"


@pytest.mark.parametrize(
    ("settings", "ways"),
    [
        ({}, []),
        ({"entry": "closed"}, []),
        ({"password": PASSWORD}, ["password", "invite"]),
        ({"entry": "ask"}, ["ask", "invite"]),
        ({"entry": "ask", "password": PASSWORD}, ["password", "ask", "invite"]),
        ({"entry": "members"}, ["invite"]),
    ],
)
def test_the_ways_in(settings: dict[str, Any], ways: list[str]) -> None:
    """A page shows a form for each way that the room has."""
    assert ways == ways_in(room(**settings))
