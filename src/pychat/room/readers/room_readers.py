"""The read positions, unread counts and blocked members, as one room sees them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from pychat.domain.model import Erased, LogEvent, Message
from pychat.room.person import Person
from pychat.room.readers.blocks import Blocks, blocked
from pychat.room.readers.positions import ReadPositions
from pychat.room.readers.watchers import UnreadWatchers

__all__ = ["RoomReaders"]


class RoomReaders:
    """What a room tells about who reads it, and asks about who has blocked whom."""

    __slots__ = ("_blocks", "_name", "_people", "_positions", "_push", "_watchers", "members", "pushes")

    def __init__(
        self,
        name: str,
        positions: ReadPositions,
        watchers: UnreadWatchers,
        people: Mapping[str, Person],
        blocks: Blocks,
        members: tuple[str, ...],
        push: Callable[[Message, tuple[str, ...]], None] | None = None,
    ) -> None:
        """`people` are those who are connected, by member id."""
        self._name = name
        self._positions = positions
        self._watchers = watchers
        self._people = people
        self._blocks = blocks
        #: The ids of the members of a direct room: each message puts it into their lists, if they have taken it out.
        self.members = members
        self._push = push
        #: True if `said` tells somebody of messages.
        self.pushes = push is not None and bool(members)

    # Who reads it. No method awaits or raises.

    def entered(self, person: Person, seq: int) -> None:
        """A person entered the room, whose newest event has the number `seq`: they follow it from now on."""
        person.rooms[self._name] = person.rooms.get(self._name, 0) + 1
        self.follow(person.member_id, seq)

    def left(self, person: Person) -> None:
        """A connection of a person has left the room. They still follow it."""
        connections = person.rooms.pop(self._name, 0)
        if connections > 1:
            person.rooms[self._name] = connections - 1

    def follow(self, member_id: str, seq: int) -> None:
        """Count what the member has not read after number `seq`. No-op if they follow the room."""
        self._positions.follow(member_id, self._name, seq)
        self._watchers.followed(member_id, self._name)

    def read(self, member_id: str, seq: int, head: int) -> None:
        """A member has seen everything up to number `seq`; that of the newest event is `head`."""
        seq = min(seq, head)
        self._positions.mark(member_id, self._name, seq)
        self._watchers.read(member_id, self._name, seq, head)

    def received(self, event: LogEvent | Erased) -> None:
        """Something was added to the log."""
        if type(event) is Message:
            author = self._people.get(event.author.id)
            if author is not None and self._name in author.rooms:
                self._positions.mark(author.member_id, self._name, event.seq)
            for member_id in self.members:
                self.follow(member_id, event.seq - 1)
        self._watchers.happened(self._name, event)

    def said(self, message: Message) -> None:
        """Tell the members of a direct room who are away of a message that this server has stored."""
        if self._push is not None:
            self._push(message, self.members)

    def list_again(self, member_id: str) -> None:
        """Whether a member may read the room has changed."""
        self._watchers.refresh(member_id)

    def deleted(self) -> None:
        """The room was deleted."""
        self._watchers.deleted(self._name)

    # Who is blocked.

    async def check(self, author_id: str) -> None:
        """Raise `Refused` with `blocked` if a member of a direct room has blocked the author, or no other is left."""
        if len(self.members) == 1 or (self.members and await self._blocks.by(self.members, author_id)):
            raise blocked()

    async def blockers(self, member_ids: Collection[str], author_id: str) -> set[str]:
        """Those of the members who have blocked the author."""
        return await self._blocks.by(member_ids, author_id)
