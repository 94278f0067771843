"""The screen of one person: messages, people and typing. Also finds events that come twice or in the wrong order."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from pychat.domain.model import Deleted, Edited, LogEvent, Member, Message, Position, Reacted, Typing
from pychat.domain.notices import Notice, Presence, Welcome
from pychat.domain.revision import revise

__all__ = ["Screen", "lines"]


class Screen:
    """One person's screen, over any number of connections."""

    def __init__(self) -> None:
        #: The messages as they stand, in the order of the log.
        self.messages: list[Message] = []
        #: Messages and edits of other people, as they came.
        self.sightings: list[Message] = []
        #: The number of sightings that were looked at.
        self.looked = 0
        self.members: dict[str, Member] = {}
        self.typing: dict[str, Member] = {}
        self.here = 0
        #: The position from which the person would continue.
        self.position: Position | None = None
        #: True if the last connection continued where the one before ended.
        self.recovered = False
        #: The member whose screen this is; `None` before joining.
        self.owner: Member | None = None
        #: Descriptions of events that came twice or in the wrong order.
        self.faults: list[str] = []
        self._seen: set[int] = set()

    def show(self, notice: Notice) -> None:
        """Show a notice."""
        match notice:
            case Welcome():
                self._welcome(notice)
            case Presence():
                self._presence(notice)
            case Typing(member=member, on=on):
                self.typing.pop(member.id, None)
                if on:
                    self.typing[member.id] = member
            case Message():
                self._follow(notice)
                self._place(notice)
                self.sightings.append(notice)
                self.typing.pop(notice.author.id, None)
            case Edited() | Deleted() | Reacted():
                self._follow(notice)
                self._revise(notice)

    def wrote(self, message: Message) -> None:
        """Show a message of this person, which the room has stored."""
        if message.seq not in self._seen:
            self._place(message)
            self._reach(message)

    def unseen(self) -> list[Message]:
        """The sightings that were not looked at."""
        return self.sightings[self.looked :]

    def _welcome(self, welcome: Welcome) -> None:
        self.recovered = welcome.recovered
        self.here = welcome.here
        self.members = {member.id: member for member in welcome.members}
        self.typing.clear()
        if not welcome.recovered:
            known = set(self.messages) if self.position and self.position.epoch == welcome.position.epoch else set()
            self.messages = list(welcome.messages)
            self.sightings += [message for message in welcome.messages if message not in known]
            self._seen = {message.seq for message in welcome.messages}
            self.position = welcome.position

    def _presence(self, presence: Presence) -> None:
        self.here = presence.here
        if presence.members is not None:
            self.members = {member.id: member for member in presence.members}
        for member in presence.left:
            self.members.pop(member.id, None)
            self.typing.pop(member.id, None)
        for member in (*presence.joined, *presence.renamed):
            self.members[member.id] = member

    def _follow(self, event: Message | Edited | Deleted | Reacted) -> None:
        """Record a fault unless `event` is newer than all events before."""
        if self.position is not None and event.seq <= self.position.seq:
            when = "a second time" if event.seq in self._seen else f"after number {self.position.seq}"
            self.faults.append(f"number {event.seq} of the log came {when}: {event}")
        self._reach(event)

    def _reach(self, event: LogEvent) -> None:
        self._seen.add(event.seq)
        if self.position is not None and event.seq > self.position.seq:
            self.position = Position(self.position.epoch, event.seq, event.id)

    def _place(self, message: Message) -> None:
        bisect.insort(self.messages, message, key=lambda each: each.seq)

    def _revise(self, event: Edited | Deleted | Reacted) -> None:
        for index, message in enumerate(self.messages):
            if message.seq == event.target:
                self.messages[index] = revised = revise(message, event)
                if isinstance(event, Edited) and event.author != self.owner:
                    self.sightings.append(revised)


def lines(messages: Iterable[Message]) -> list[str]:
    """Messages as text: `ada: hi`."""
    return [f"{each.author.name}: {'(deleted)' if each.deleted else each.text}" for each in messages]
