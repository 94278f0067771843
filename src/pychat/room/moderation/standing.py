"""What a visitor may do in a room at a moment: the app's access, changed by the role, by mutes and by the settings."""

from __future__ import annotations

from functools import lru_cache

from pychat.domain.access import Access
from pychat.domain.dates import iso
from pychat.domain.entry import entry_refusal
from pychat.domain.errors import Refused
from pychat.domain.model import User
from pychat.domain.moderation import Record
from pychat.domain.moderation_state import ModerationState
from pychat.domain.notices import AccessChanged, Mute
from pychat.domain.roles import Role, effective_access, role_of
from pychat.room.grant import Grant

__all__ = ["check_entry", "check_stay", "refusal", "standing_of"]

_NO_ACCESS = {
    "read": "You may no longer read this room.",
    "write": "You may read this room, but not write in it.",
    "react": "You may not react to messages in this room.",
    "moderate": "Only moderators of this room may do this.",
}


@lru_cache(256)
def _plain(access: Access, role: Role, *, silent: bool) -> AccessChanged:
    """The standing of somebody who is not muted: one object for all visitors with the same one."""
    return AccessChanged(effective_access(access, role, silent=silent), role)


def standing_of(
    state: ModerationState, grant: Grant, user: User | None, member_id: str | None, now: float
) -> AccessChanged:
    """The standing of a visitor at `now` (seconds since 1970)."""
    role = _role(state, grant, user, member_id)
    if not state:
        return _plain(grant.access, role, silent=False)
    found = state.held_against("mute", member_id, grant.address, role, now, login=user is not None)
    if found is None:
        return _plain(grant.access, role, silent=role < _WRITERS[state.setting("writing")])
    mute = Mute(found.until, str(found.data.get("reason", "")))
    return AccessChanged(effective_access(grant.access, role, silent=True), role, mute)


#: The lowest role that may write, by the setting `writing`.
_WRITERS = {"all": Role.READER, "members": Role.MEMBER, "moderators": Role.MODERATOR}


def _role(state: ModerationState, grant: Grant, user: User | None, member_id: str | None) -> Role:
    roles = () if user is None else user.roles
    return role_of(state.stored_role(member_id), roles, grant.access, login=user is not None)


def check_stay(state: ModerationState, grant: Grant, user: User | None, member_id: str | None, now: float) -> None:
    """Raise `Refused` if a visitor may not be in the room: they are banned, or the room is closed."""
    if not state:
        return
    role = _role(state, grant, user, member_id)
    ban = state.held_against("ban", member_id, grant.address, role, now, login=user is not None)
    if ban is not None:
        raise _banned(ban)
    if role < Role.MODERATOR and state.setting("entry") == "closed":
        raise Refused.standard("room_closed")


def check_entry(state: ModerationState, grant: Grant, user: User | None, member_id: str | None, now: float) -> None:
    """Raise `Refused` if a visitor may not come into the room."""
    if not state:
        return
    check_stay(state, grant, user, member_id, now)
    roles = () if user is None else user.roles
    known = state.stored_role(member_id) is not None or role_of(None, roles, grant.access, login=False) >= Role.MEMBER
    refused = entry_refusal(state, member_id, _role(state, grant, user, member_id), known=known)
    if refused is not None:
        raise refused


def refusal(state: ModerationState, grant: Grant, standing: AccessChanged, permission: str) -> Refused:
    """Why a visitor lacks that permission."""
    if permission in grant.access and permission != "moderate":
        if standing.muted is not None:
            until, reason = standing.muted.until, standing.muted.reason
            return Refused("muted", f"You are muted in this room{_until(until)}{_because(reason)}.", until=until)
        if standing.role is Role.READER:
            return Refused("forbidden", "You may only read this room: a moderator has decided so.")
        writing = state.setting("writing")
        if writing == "members":
            return Refused("members_only", "Only members may write in this room at the moment.")
        if writing == "moderators":
            return Refused("forbidden", "Only moderators may write in this room at the moment.")
    return Refused("forbidden", _NO_ACCESS.get(permission, "You may not do this in this room."))


def _banned(ban: Record) -> Refused:
    reason = _because(str(ban.data.get("reason", "")))
    if ban.data.get("kick"):
        back = f" You can come back{_until(ban.until).replace(' until ', ' at ')}."
        return Refused("kicked", f"A moderator has removed you from this room{reason}.{back}", until=ban.until)
    return Refused("banned", f"You are banned from this room{_until(ban.until)}{reason}.", until=ban.until)


def _until(until: float | None) -> str:
    return "" if until is None else f" until {iso(until)[:16].replace('T', ' ')} UTC"


def _because(reason: str) -> str:
    return f" ({reason})" if reason else ""
