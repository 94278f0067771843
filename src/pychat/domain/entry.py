"""Who may come into a room: the rules of the settings `entry`, `password` and `challenge`."""

from __future__ import annotations

__all__ = ["CHECKED", "is_checked"]

#: How the ids of guests begin who have solved a challenge. Ids are signed in the guests' tokens.
CHECKED = "checked-"


def is_checked(member_id: str | None) -> bool:
    """True if this is the id of a guest who has solved a challenge."""
    return member_id is not None and member_id.startswith(CHECKED)
