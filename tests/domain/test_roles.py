"""Roles, and what follows from them."""

from __future__ import annotations

import pytest

from pychat.domain.access import Access
from pychat.domain.errors import Refused
from pychat.domain.roles import Role, effective_access, role_of


@pytest.mark.parametrize(
    ("stored", "roles", "access", "login", "expected"),
    [
        (None, (), Access.WRITE, False, Role.GUEST),
        (None, (), Access.WRITE, True, Role.MEMBER),
        (None, ("member",), Access.WRITE, False, Role.MEMBER),
        (None, ("vip", "moderator"), Access.WRITE, True, Role.MODERATOR),
        (None, ("owner",), Access.READ, True, Role.OWNER),
        (None, (), Access.MODERATE, False, Role.MODERATOR),
        (Role.OWNER, (), Access.WRITE, False, Role.OWNER),
        (Role.MEMBER, ("moderator",), Access.WRITE, True, Role.MODERATOR),
        (Role.READER, (), Access.WRITE, True, Role.READER),
        (Role.READER, ("member",), Access.WRITE, True, Role.READER),
        (Role.READER, ("moderator",), Access.WRITE, True, Role.MODERATOR),
        (Role.READER, (), Access.MODERATE, True, Role.MODERATOR),
    ],
)
def test_the_highest_role_counts(
    stored: Role | None, roles: tuple[str, ...], access: Access, login: bool, expected: Role
) -> None:
    """Of the room's record, the app's roles and the app's access; a stored reader wins over guest and member."""
    assert role_of(stored, roles, access, login=login) is expected


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "access", [Access.NONE, Access.READ, Access.WRITE, Access.MODERATE, Access.of(["read", "react"])]
)
@pytest.mark.parametrize("silent", [False, True])
def test_what_the_app_forbids_no_role_allows(role: Role, access: Access, silent: bool) -> None:
    """A role adds nothing but `moderate`, and that only to somebody who may read."""
    effective = effective_access(access, role, silent=silent)
    assert effective - {"moderate"} <= access
    assert ("moderate" in effective) == ("moderate" in access or (role >= Role.MODERATOR and "read" in access))
    assert not (silent and effective & {"write", "react", "upload"})
    assert isinstance(effective, Access)


def test_the_names_of_roles() -> None:
    """Each role has its name in the protocol; another name is refused."""
    assert [Role.of(role.label) for role in Role] == list(Role)
    with pytest.raises(Refused):
        Role.of("king")
