"""All rules of a room: who is here, when a name is taken, and who may do what.

`decide` returns the event that a command would cause, or raises `Refused`; it changes nothing. `apply` changes the
state after an event, and never refuses. Neither uses sockets, clocks or stores, so the same events give the same room
everywhere. A name is reserved from `decide` until its event was applied or has failed, because storing takes time: in
between, the name is taken for others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, assert_never

from pychat.domain.errors import Refused
from pychat.domain.known_names import KnownNames
from pychat.domain.limits import Limits
from pychat.domain.mentions import HERE, MAX_HERE, find_mentions
from pychat.domain.model import (
    Away,
    Command,
    Delete,
    Deleted,
    Drop,
    Edit,
    Edited,
    Event,
    Join,
    Joined,
    Kicked,
    Leave,
    Left,
    Member,
    Message,
    Quote,
    React,
    Reacted,
    Renamed,
    Say,
    SetTyping,
    Typing,
    Whisper,
)
from pychat.domain.names import Names
from pychat.domain.revision import check
from pychat.domain.texts import accept_emoji, accept_text

__all__ = ["NameFollower", "RoomState", "quote"]

_QUOTED = 200  # characters of a message in a quote
_NUMBERED = re.compile(r" \(([0-9]{1,3})\)$")
_NAMESAKES = 1000  # users with the same name
_MODERATOR = "moderator"  # the role that may delete anybody's message


class NameFollower(Protocol):
    """Follows the names of a room, for example to keep an index of them in another form."""

    def named(self, member: Member) -> None:
        """Handle a member who has taken or changed a name."""


class RoomState:
    """Who is in a room, under which names, and the number of its newest event."""

    __slots__ = ("_holders", "_limits", "away", "followers", "known", "members", "names", "reserved", "seq", "typing")

    def __init__(self, names: Names, limits: Limits) -> None:
        #: The rules for nicknames.
        self.names = names
        #: These are told of each member who takes or changes a name.
        self.followers: Iterable[NameFollower] = ()
        self._limits = limits
        self._holders: dict[str, str] = {}  # key of a name -> id of the member who has it
        #: Names between `decide` and `apply`: key of a name -> id of the member who will have it.
        self.reserved: dict[str, str] = {}
        #: Members who are here, by id, in the order in which they joined.
        self.members: dict[str, Member] = {}
        #: Members who lost the connection, and whose names are held.
        self.away: dict[str, Member] = {}
        #: The last names of members who left.
        self.known = KnownNames()
        #: Ids of the members who are typing. An empty dict takes 64 bytes, an empty set 216.
        self.typing: dict[str, None] = {}
        #: The number of the newest event; 0 before the first.
        self.seq = 0

    def clear(self) -> None:
        """Forget everything except the reserved names."""
        for each in (self._holders, self.members, self.away, self.known, self.typing):
            each.clear()
        self.seq = 0

    def last_name(self, member_id: str) -> str | None:
        """The name of a member, or the last one of a member who left."""
        member = self.members.get(member_id) or self.away.get(member_id)
        return self.known.name(member_id) if member is None else member.name

    def mentions(self, text: str, author_id: str) -> tuple[str, ...]:
        """The ids of the members whom `text` mentions: `@` and the name of somebody who is here, or was here.

        Names are compared as for joining; of several names, the longest counts. `@here` is everyone with a name who is
        here, up to `MAX_HERE` people. Nobody mentions themselves.
        """
        found: dict[str, None] = {}
        for member_id in find_mentions(text, self.names.longest, self._find):
            if member_id:
                found[member_id] = None
            elif len(self.members) <= MAX_HERE:
                found.update(dict.fromkeys(self.members))
        found.pop(author_id, None)
        return tuple(found)

    def _find(self, key: str) -> str | None:
        """The id of the member with a name of that key; empty for `@here`."""
        return "" if key in HERE else self._holders.get(key) or self.known.find(key)

    def decide(self, command: Command, now: float) -> Event | None:
        """The event that `command` would cause at `now` (seconds since 1970); `None` if it would change nothing.

        Raise `Refused` if it is not allowed.
        """
        match command:
            case Say():
                author = self._member(command.member_id)
                text = accept_text(command.text, self._limits.text)
                reply = None if command.reply_to is None else quote(command.reply_to)
                return Message(command.id, author, text, now, reply=reply)
            case Join():
                return self._join(command)
            case Drop():
                member = self.members.get(command.member_id)
                return None if member is None else Away(member)
            case Leave():
                member = self.members.get(command.member_id) or self.away.get(command.member_id)
                return None if member is None else Left(member)
            case Edit():
                return self._edit(command, now)
            case Delete():
                author = self._author(command).bare
                return None if command.target.deleted else Deleted(command.id, author, command.target.seq, now)
            case React():
                return self._react(command, now)
            case SetTyping():
                member = self._member(command.member_id)
                return None if command.on == (member.id in self.typing) else Typing(member, command.on)
            case _:
                assert_never(command)

    @contextmanager
    def reserving(self, member: Member) -> Iterator[None]:
        """Reserve the name of `member` inside the `with` block. For everybody else it is taken."""
        keys = [key for key in self.names.keys(member.name) if self.reserved.setdefault(key, member.id) == member.id]
        try:
            yield
        finally:
            for key in keys:
                self.reserved.pop(key, None)
            if not self.reserved:
                self.reserved.clear()  # `pop` keeps the room that the dict has grown to

    def apply(self, event: Event) -> None:
        """Change the state after `event`."""
        match event:
            case Message():
                self.seq = max(self.seq, event.seq)
                self.typing.pop(event.author.id, None)
            case Edited() | Deleted() | Reacted():
                self.seq = max(self.seq, event.seq)
            case Joined() | Renamed():
                self._forget(event.member.id)
                self.members[event.member.id] = event.member
                self._hold(event.member)
                for follower in self.followers:
                    follower.named(event.member)
            case Away():
                self._forget(event.member.id, stays=False)
                self.away[event.member.id] = event.member
                self._hold(event.member)
            case Left():
                self._forget(event.member.id, stays=False)
                self.remember(event.member)
            case Kicked() | Whisper():
                pass  # `Left` follows a kick
            case Typing() if event.on and event.member.id in self.members:
                self.typing[event.member.id] = None
            case Typing():  # stopped, or by a member who has left meanwhile
                self.typing.pop(event.member.id, None)
            case _:
                assert_never(event)

    def remember(self, member: Member) -> None:
        """Keep the last name of a member who left."""
        self.known.add(member.id, member.name)

    def _join(self, command: Join) -> Event | None:
        name = self.names.accept(command.name, reserved=command.known)
        if command.known:
            name = self._like(name, command.member_id)
        elif not self._is_free(name, command.member_id):
            raise Refused(
                "name_taken",
                f"Somebody here has the name “{name}”, or one that looks like it. Please take another name.",
            )
        before, member = self.members.get(command.member_id), Member(command.member_id, name, command.roles)
        if before is None:
            return Joined(member)
        return None if (before, before.roles) == (member, member.roles) else Renamed(member, before.name)

    def _is_free(self, name: str, member_id: str) -> bool:
        free = (None, member_id)
        return all(self._holders.get(key) in free and self.reserved.get(key) in free for key in self.names.keys(name))

    def _like(self, name: str, member_id: str) -> str:
        """`name`, “name (2)”, “name (3)” …: the one that the member has or had, else the first that is free."""
        before = self.last_name(member_id)
        if before is not None and self._is_free(before, member_id):
            number = _NUMBERED.search(before)
            if before in (name, self._numbered(name, int(number[1]) if number else 1)):
                return before
        for each in range(1, _NAMESAKES):
            like = self._numbered(name, each)
            if self._is_free(like, member_id):
                return like
        raise Refused("name_taken", f"Too many people here are called “{name}”.")

    def _numbered(self, name: str, number: int) -> str:
        suffix = f" ({number})" if number > 1 else ""
        return name[: self.names.longest - len(suffix)].rstrip() + suffix

    def _edit(self, command: Edit, now: float) -> Event | None:
        author = self._author(command)
        text = accept_text(command.text, self._limits.text)
        event = Edited(command.id, author.bare, command.target.seq, text, now)
        check(command.target, event)
        return None if text == command.target.text else event

    def _react(self, command: React, now: float) -> Event | None:
        member, target, emoji = self._member(command.member_id), command.target, command.emoji
        chosen = dict(target.reactions)
        if emoji not in chosen:  # a reaction from before the rules for emoji can still be removed
            emoji = accept_emoji(emoji)
        event = Reacted(command.id, member.bare, target.seq, emoji, command.on, now)
        check(target, event)
        return None if command.on == (member.id in chosen.get(emoji, ())) else event

    def _author(self, command: Edit | Delete) -> Member:
        member = self._member(command.member_id)
        moderates: bool | None = False
        if isinstance(command, Delete):
            moderates = _MODERATOR in member.roles if command.moderates is None else command.moderates
        if command.target.author.id != member.id and not moderates:
            raise Refused("not_yours", "Only the author can change a message.")
        return member

    def _member(self, member_id: str) -> Member:
        try:
            return self.members[member_id]
        except KeyError:
            raise Refused("not_joined", "Take a nickname first, then you can write.") from None

    def _hold(self, member: Member) -> None:
        for key in self.names.keys(member.name):
            self._holders[key] = member.id

    def _forget(self, member_id: str, *, stays: bool = True) -> None:
        member = self.members.get(member_id) or self.away.get(member_id)
        if member is not None:
            for key in self.names.keys(member.name):
                if self._holders.get(key) == member_id:
                    del self._holders[key]
        self.away.pop(member_id, None)
        self.known.discard(member_id)
        if not stays:
            self.members.pop(member_id, None)
            self.typing.pop(member_id, None)


def quote(message: Message) -> Quote:
    """The quote for a reply to `message`. Raise `Refused` if it was deleted."""
    if message.deleted:
        raise Refused("not_found", "The message that you reply to was deleted.")
    text = message.text if len(message.text) <= _QUOTED else message.text[: _QUOTED - 1] + "…"
    return Quote(message.seq, message.author.name, text)
