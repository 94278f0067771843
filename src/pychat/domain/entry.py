"""Who may come into a room: the rules of the settings `entry`, `password` and `challenge`."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.domain.moderation_state import ModerationState
from pychat.domain.roles import Role

__all__ = ["CHECKED", "entry_refusal", "is_checked", "ways_in"]

#: How the ids of guests begin who have solved a challenge. Ids are signed in the guests' tokens.
CHECKED = "checked-"


def is_checked(member_id: str | None) -> bool:
    """True if this is the id of a guest who has solved a challenge."""
    return member_id is not None and member_id.startswith(CHECKED)


def ways_in(state: ModerationState) -> list[str]:
    """How somebody can become known to the room: `password`, `ask`, `invite`; none are needed if it is open."""
    ways = ["password"] if state.setting("password") else []
    if state.setting("entry") == "ask":
        ways.append("ask")
    return [*ways, "invite"] if ways or state.setting("entry") == "members" else []


def entry_refusal(state: ModerationState, member_id: str | None, role: Role, *, known: bool) -> Refused | None:
    """Why a visitor of that role may not come in; `None` if they may. Bans are not looked at.

    `known` is true for somebody whose role the room has stored, or whose role the app has given: a login alone does not
    make anybody known. Known people need neither a password nor anybody's consent.
    """
    if role >= Role.MODERATOR:
        return None
    entry = state.setting("entry")
    if entry == "closed":
        return Refused.standard("room_closed")
    if known:
        return None
    if state.setting("challenge") and role < Role.MEMBER and not is_checked(member_id):
        return Refused("challenge_required", "This room asks guests to solve a challenge before they come in.")
    if state.setting("password"):
        also = ", or ask a moderator to let you in" if entry == "ask" else ""
        return Refused("entry_required", f"This room has a password. Enter it, or use an invitation{also}.")
    if entry == "ask":
        return Refused("entry_required", "A moderator lets people into this room. Ask to come in.")
    if entry == "members" and role < Role.MEMBER:
        return Refused("entry_required", "Only members may come into this room. Log in, or use an invitation.")
    return None
