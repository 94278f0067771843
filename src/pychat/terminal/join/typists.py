"""The members who are typing. Entries expire; the caller passes the time."""

from __future__ import annotations

from pychat.domain.model import Member

__all__ = ["Typists"]

_LASTS_SECONDS = 7.0  # the server ends it after 6 seconds


class Typists:
    """Members who are typing, each with an expiry time."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[Member, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def set(self, member: Member, *, on: bool, now: float) -> None:
        """Record that a member began or stopped typing."""
        if on:
            self._until[member.id] = member, now + _LASTS_SECONDS
        else:
            self._until.pop(member.id, None)

    def words(self, now: float) -> str:
        """Return who is typing at this time, in words."""
        self._until = {key: each for key, each in self._until.items() if each[1] > now}
        names = [member.name for member, _ in self._until.values()]
        match names:
            case []:
                return ""
            case [one]:
                return f"{one} is typing"
            case [one, other]:
                return f"{one} and {other} are typing"
        return f"{names[0]}, {names[1]} and {len(names) - 2} more are typing"
