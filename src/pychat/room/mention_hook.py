"""Tells the hook `mention` of each person whom a message mentions, once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from pychat.domain.model import Member, Message
from pychat.domain.rules import RoomState
from pychat.room.hooks import Hooks

__all__ = ["MentionHook"]

_REMEMBERED = 10_000  # pairs of a message and a person


class MentionHook:
    """The server that stores a message tells its hooks of the mentions in it; the other servers tell nobody."""

    __slots__ = ("_hooks", "_state", "_told")

    def __init__(self, hooks: Hooks, state: RoomState) -> None:
        self._hooks = hooks
        self._state = state
        self._told: OrderedDict[tuple[int, str], None] | None = None  # until the first mention: a room has one of these

    @property
    def registered(self) -> bool:
        """Whether there is such a hook."""
        return bool(self._hooks.registered["mention"])

    def tell(self, message: Message, member_ids: Iterable[str]) -> None:
        """Tell the hooks that `message` mentions these members, who may be away. Each pair is told once."""
        if self._told is None:
            self._told = OrderedDict()
        told = self._told
        for member_id in member_ids:
            if (message.seq, member_id) in told:
                continue
            told[message.seq, member_id] = None
            if len(told) > _REMEMBERED:
                told.popitem(last=False)
            member = self._state.members.get(member_id) or Member(member_id, self._state.last_name(member_id) or "")
            self._hooks.notify("mention", message, member)
