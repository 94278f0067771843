"""Who is writing just now. Forgets by itself; is told the time."""

from __future__ import annotations

from pychat.domain.model import Member

__all__ = ["Typists"]

_LASTS_SECONDS = 7.0  # the server lets it stand for 6, and then tells


class Typists:
    """Members, and until when they count."""

    def __init__(self) -> None:
        self._until: dict[str, tuple[Member, float]] = {}

    def __bool__(self) -> bool:
        return bool(self._until)

    def set(self, member: Member, *, on: bool, now: float) -> None:
        """Somebody began or ceased to write."""
        if on:
            self._until[member.id] = member, now + _LASTS_SECONDS
        else:
            self._until.pop(member.id, None)

    def words(self, now: float) -> str:
        """Who writes at this time, in words."""
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
