"""What somebody may do in a room: a set of permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pychat.domain.errors import UsageError

__all__ = ["PERMISSIONS", "Access"]

#: Every permission, in the order in which they are listed.
PERMISSIONS = ("read", "write", "react", "upload", "moderate")

_LEVELS = {"none": (), "read": PERMISSIONS[:1], "write": PERMISSIONS[:4], "moderate": PERMISSIONS}


class Access(frozenset[str]):
    """A set of permissions: `read`, `write`, `react`, `upload`, `moderate`.

    Usual sets have names: `Access.NONE`, `Access.READ`, `Access.WRITE` (all but `moderate`) and `Access.MODERATE`
    (all). For others: `Access.of(["read", "react"])`.
    """

    __slots__ = ()

    NONE: ClassVar[Access]
    READ: ClassVar[Access]
    WRITE: ClassVar[Access]
    MODERATE: ClassVar[Access]

    @classmethod
    def of(cls, value: object) -> Access:
        """The access that `value` means: an `Access`, `"none"`, `"read"`, `"write"`, `"moderate"`, or permissions.

        Raise `UsageError` for anything else, and for permissions without `read`.
        """
        if isinstance(value, Access):
            return value
        if isinstance(value, str):
            if value not in _LEVELS:
                raise UsageError(f"There is no access {value!r}. There are: {', '.join(_LEVELS)}.")
            return cls(_LEVELS[value])
        given: list[object] | None = list(value) if isinstance(value, Iterable) else None
        if given is None or any(each not in PERMISSIONS for each in given):
            raise UsageError(
                f"Access is one of {', '.join(_LEVELS)}, or permissions of {', '.join(PERMISSIONS)}, not {value!r}."
            )
        if given and "read" not in given:
            raise UsageError(f"Access {value!r} lacks “read”: nobody can do anything in a room that they cannot read.")
        return cls(str(each) for each in given)

    @property
    def permissions(self) -> list[str]:
        """The permissions in their usual order."""
        return [each for each in PERMISSIONS if each in self]

    def __repr__(self) -> str:
        """For example `Access.of(['read', 'react'])`."""
        for name, permissions in _LEVELS.items():
            if len(self) == len(permissions) and self.issuperset(permissions):
                return f"Access.{name.upper()}"
        return f"Access.of({self.permissions})"


Access.NONE, Access.READ, Access.WRITE, Access.MODERATE = (Access(level) for level in _LEVELS.values())
