"""The rules of a room, all of them, and nothing else: who is here, and who may do what.

`decide` looks at a command and says what would happen, or why not; it changes nothing. `apply` takes what has
happened and never refuses. Neither knows of sockets, clocks or stores, so replaying a room's events through `apply`
gives the same room everywhere. Between a `decide` and its `apply` nobody may await, or two people get one name.
"""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from .errors import Refused
from .limits import Limits
from .model import Command, Event, Join, Joined, Leave, Left, Member, Message, Renamed, Say, SetTyping, Typing
from .names import Names
from .texts import accept_text

__all__ = ["RoomState"]


class RoomState:
    """Who is in a room, under which names, and the number of its newest message."""

    def __init__(self, names: Names, limits: Limits) -> None:
        self._names = names
        self._limits = limits
        self._holders: dict[str, str] = {}  # key of a name -> id of the member who has it
        #: Members by id, in the order in which they joined.
        self.members: dict[str, Member] = {}
        #: Ids of the members who are writing.
        self.typing: set[str] = set()
        #: The number of the newest message; 0 before the first.
        self.seq = 0

    def decide(self, command: Command, now: float) -> Event | Refused | None:
        """What `command` would make happen at `now` (seconds since 1970); `None` if nothing would change."""
        try:
            match command:
                case Join():
                    return self._decide_join(command)
                case Leave():
                    member = self.members.get(command.member_id)
                    return None if member is None else Left(member)
                case Say():
                    author = self._member(command.member_id)
                    return Message(command.id, author, accept_text(command.text, self._limits.text), now)
                case SetTyping():
                    member = self._member(command.member_id)
                    return None if command.on == (member.id in self.typing) else Typing(member, command.on)
                case _:
                    assert_never(command)
        except Refused as refused:
            return refused

    def apply(self, event: Event) -> None:
        """Take `event` as having happened."""
        match event:
            case Message():
                self.seq = max(self.seq, event.seq)
                self.typing.discard(event.author.id)
            case Joined() | Renamed():
                self._forget_names(event.member.id)
                self.members[event.member.id] = event.member
                for key in self._names.keys(event.member.name):
                    self._holders[key] = event.member.id
            case Left():
                self._forget_names(event.member.id)
                self.members.pop(event.member.id, None)
                self.typing.discard(event.member.id)
            case Typing():
                (self.typing.add if event.on else self.typing.discard)(event.member.id)
            case _:
                assert_never(event)

    def _decide_join(self, command: Join) -> Event | None:
        name = self._names.accept(command.name)
        held_by = {self._holders.get(key) for key in self._names.keys(name)} - {None, command.member_id}
        if held_by:
            raise Refused("name_taken", f"Somebody here is called “{name}”, or looks as if. Please take another name.")
        before = self.members.get(command.member_id)
        if before is None:
            return Joined(Member(command.member_id, name))
        return None if before.name == name else Renamed(replace(before, name=name), before.name)

    def _member(self, member_id: str) -> Member:
        try:
            return self.members[member_id]
        except KeyError:
            raise Refused("not_joined", "Take a nickname first, then you can write.") from None

    def _forget_names(self, member_id: str) -> None:
        member = self.members.get(member_id)
        if member is not None:
            for key in self._names.keys(member.name):
                if self._holders.get(key) == member_id:
                    del self._holders[key]
