"""The roles in a room, and what follows from a role: the rank and the permissions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum

from pychat.domain.access import Access
from pychat.domain.errors import Refused

__all__ = ["PROGRAM_RANK", "Role", "effective_access", "role_of"]

_SPEAKING = frozenset({"write", "react", "upload"})
_ACCESSES: dict[frozenset[str], Access] = {
    each: each for each in (Access.NONE, Access.READ, Access.WRITE, Access.MODERATE)
}


class Role(IntEnum):
    """A role in a room. A higher one has the permissions of those below it, and acts on them."""

    READER = 0
    GUEST = 1
    MEMBER = 2
    MODERATOR = 3
    OWNER = 4

    @property
    def label(self) -> str:
        """The name in the protocol, for example `moderator`."""
        return self.name.lower()

    @property
    def access(self) -> Access:
        """What somebody of this role may do, if the app allows it."""
        if self >= Role.MODERATOR:
            return Access.MODERATE
        return Access.READ if self is Role.READER else Access.WRITE

    @classmethod
    def of(cls, label: str) -> Role:
        """The role of that name. Raise `Refused` with `bad_request` if there is none."""
        role = _LABELS.get(label)
        if role is None:
            raise Refused("bad_request", f"“role” is one of: {', '.join(_LABELS)}.")
        return role


_LABELS = {role.label: role for role in Role}
#: The rank of the app's code, and of programs with an API token.
PROGRAM_RANK = Role.OWNER + 1


def role_of(stored: Role | None, roles: Iterable[str], access: Access, *, login: bool) -> Role:
    """The role of a visitor: the highest of the record of the room, of the app's roles, and of the app's access.

    Somebody with a login is a member at least. A stored `reader` wins over guest and member.
    """
    role = Role.MEMBER if login else Role.GUEST
    if stored is not None:
        role = stored if stored is Role.READER else max(role, stored)
    for each in roles:
        given = _LABELS.get(each)
        if given is not None and (given >= Role.MODERATOR or (given is Role.MEMBER and role is not Role.READER)):
            role = max(role, given)
    return max(role, Role.MODERATOR) if "moderate" in access else role


def effective_access(access: Access, role: Role, *, silent: bool) -> Access:
    """What a visitor of that role may do: the app's `access`, changed by the role.

    A `silent` visitor, for example a muted one, may neither write nor react.
    """
    if "read" not in access:
        return access
    permissions: frozenset[str] = access
    if role >= Role.MODERATOR:
        permissions |= {"moderate"}
    if silent or role is Role.READER:
        permissions -= _SPEAKING
    known = _ACCESSES.get(permissions)
    if known is None:
        known = _ACCESSES[permissions] = Access(permissions)
    return known
