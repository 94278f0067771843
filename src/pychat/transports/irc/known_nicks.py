"""The members of a channel that one client was told of, each with the nick that the client knows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["KnownNicks"]


class KnownNicks:
    """Nicks by member id, and the reverse. Each look-up takes the same time in any crowd."""

    def __init__(self) -> None:
        self._nicks: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    def __iter__(self) -> Iterator[str]:
        """The ids of the members."""
        return iter(self._nicks)

    def nick(self, member_id: str) -> str | None:
        """The nick by which the client knows that member."""
        return self._nicks.get(member_id)

    def member_id(self, nick: str) -> str | None:
        """The id of the member whom the client knows by that nick."""
        return self._ids.get(nick)

    def set(self, member_id: str, nick: str) -> None:
        """Record that the client knows that member by that nick."""
        self.pop(member_id)
        self._nicks[member_id] = nick
        self._ids[nick] = member_id

    def rename(self, before: str, after: str) -> None:
        """Record another nick for the member of the nick `before`, if there is one."""
        member_id = self._ids.get(before)
        if member_id is not None:
            self.set(member_id, after)

    def pop(self, member_id: str) -> str | None:
        """Forget a member. Return the nick, or `None` if the client does not know the member."""
        nick = self._nicks.pop(member_id, None)
        if nick is not None and self._ids.get(nick) == member_id:
            del self._ids[nick]
        return nick

    def replace(self, nicks: Mapping[str, str]) -> None:
        """Forget all, and record these nicks by member id."""
        self._nicks = dict(nicks)
        self._ids = {nick: member_id for member_id, nick in nicks.items()}
