"""One client in one room: the connection that the room sees, what the client was told of who is here, and the order.

The room does not tell the author's connection of a message, for pages have shown it. In IRC the order of the lines is
all that there is, so the echo of one's own message takes its place among what the others say: where a number is missing
while the client is saying something, what follows waits for the echo.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from pychat.domain.errors import Close
from pychat.domain.model import Kicked, Member, Message, Typing, User
from pychat.domain.notices import Presence, Welcome
from pychat.room.session import Session
from pychat.transports.admission import admit
from pychat.transports.irc import numerics as n
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.encoder import Frame, LineEncoder
from pychat.transports.irc.line import Line
from pychat.transports.irc.nicks import source

__all__ = ["ChannelMembership", "Person"]

_PLAYED_BACK = 20  # messages to who has no way to tell old from new but the time before them
_PLAYED_BACK_BYTES = 256 * 1024
_MAX_HELD = 10_000  # frames while joining or saying; beyond, the client is too slow
_OF_THE_ROOM = frozenset({Close.KICKED, Close.UNKNOWN_ROOM})  # the connection may go on in other rooms


class Person(Protocol):
    """The methods of a client that its memberships use."""

    nick: str
    caps: frozenset[str]

    def tell(self, line: Line) -> None:
        """Send a line in answer to the command that is being carried out."""

    def reply(self, numeric: str, *params: str) -> None:
        """Answer with a numeric."""

    def notice(self, text: str, target: str | None = None) -> None:
        """Tell something in words."""

    def names(self, channel: Channel, nicks: Iterable[str]) -> None:
        """Answer who is in a channel."""

    def answered(self) -> None:
        """The command is answered; what is sent now is no part of it."""

    def write(self, line: Line) -> None:
        """Send a line that nobody asked for."""

    def write_data(self, data: bytes) -> None:
        """Send what was encoded for many."""

    def new_batch(self) -> str:
        """A name for a batch."""

    def is_called(self, nick: str) -> None:
        """The client has that nick now."""

    def hears_of_rename(self, membership: ChannelMembership, before: str, after: str) -> bool:
        """Whether a `NICK` would be true in all of the client's rooms, which know of it then."""

    def remove_membership(self, membership: ChannelMembership) -> None:
        """The client is no longer in that room."""

    def close(self, why: Close) -> None:
        """Say why, and hang up."""


class ChannelMembership:
    """The connection between a client and a room."""

    session: Session

    def __init__(self, client: Person, channel: Channel, encoder: LineEncoder) -> None:
        self._client = client
        self.channel = channel
        self.encoder = encoder
        self._told: dict[str, str] = {}  # member id -> nick, as the client knows them
        self._welcome: Welcome | None = None
        self._held: list[Frame] | None = []
        self._saying = False
        self._seq = 0
        self._listed = True
        self._reason = ""
        #: Whether the room has put the client out.
        self.out = False

    # What the room calls.

    def send(self, frame: Frame) -> None:
        """Tell the client, or keep it until the client can be told."""
        if isinstance(frame.notice, Welcome):
            self._welcome = frame.notice
            self._seq = frame.notice.position.seq
        elif self._held is not None:
            self._held.append(frame)
            if len(self._held) > _MAX_HELD:
                self._client.close(Close.SLOW)
        elif self._saying and frame.seq > self._seq + 1:
            self._held = [frame]
        else:
            self._hear(frame)

    def close(self, why: Close) -> None:
        """Put the client out of the room, or hang up, as the reason is."""
        if why in _OF_THE_ROOM:
            self.out = True
            told = self._reason or f"{why.text} ({why.reason})"
            self._client.write(Line("KICK", (self.channel.name, self._client.nick, told), n.SERVER))
            self._client.remove_membership(self)
        else:
            self._client.close(why)

    # What the client's commands call.

    @property
    def member(self) -> Member | None:
        """Who the client is here."""
        return self.session.member

    async def enter(self, member_id: str | None, user: User | None = None) -> None:
        """Come in, as that member or user if the client can prove to be one. Raise `Refused`."""
        self.session = await admit(self.channel.room, self, member_id=None if user else member_id, user=user)
        try:
            member = None if user is None else self.session.member  # the name comes with the login
            if member is None:
                member, _ = await self.session.join(self._client.nick)
        except BaseException:
            await self.session.close(left=True)
            raise
        self._client.is_called(self.channel.nick(member))

    def begin(self) -> None:
        """Tell the client of the room, of who is here, and what was said; then what happened meanwhile."""
        assert self._welcome is not None  # noqa: S101 -- the first that a room tells
        client, name = self._client, self.channel.name
        client.tell(Line("JOIN", (name,), source(client.nick)))
        client.reply(n.RPL_TOPIC, name, self.channel.title)
        self.names()
        self._listed = self._welcome.listed
        if not self._listed:
            client.notice(f"{self._welcome.here} people are in {name}: too many to tell you who comes and goes.")
        self._play_back(self._welcome.messages)
        self._release()

    def names(self) -> None:
        """Tell who is here; in a crowd, a part of them."""
        client, channel = self._client, self.channel
        nicks = {member.id: self._nick(member) for member in channel.room.first_members()}
        if channel.room.member_count <= channel.room.limits.listed:
            self._told = nicks
        nicks[self.session.member_id or ""] = client.nick
        client.names(channel, nicks.values())

    async def say(self, text: str, message_id: str | None = None, reply_to: int | None = None) -> Message:
        """Say something, and echo it in its place to a client that wants that. Raise `Refused`."""
        self._saying = True
        try:
            said = await self.session.say(text, message_id, reply_to)
            self._release(before=said.seq)
            self._echo(said, text)
        finally:
            self._saying = False
            self._release()
        return said

    def renamed(self, before: str, after: str) -> None:
        """The client itself has another nick: what it knows of this room changes with it."""
        for member_id, nick in self._told.items():
            if nick == before:
                self._told[member_id] = after

    def knows(self, nick: str) -> str | None:
        """The id of the member whom the client knows by that nick here."""
        return next((member_id for member_id, known in self._told.items() if known == nick), None)

    def recognises(self, member_id: str, nick: str) -> None:
        """The client knows that member by another nick now."""
        self._told[member_id] = nick

    def lines(self, said: Message, batch: str | None = None) -> list[Line]:
        """A message for this client; an old one of somebody who is here comes from the nick that is known."""
        return [] if said.deleted else self.encoder.message(said, batch=batch)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep what the room tells until the block ends: history goes out whole, and then what was said meanwhile."""
        if self._held is not None:
            yield
            return
        self._held = []
        try:
            yield
        finally:
            self._release()

    # How it is done.

    def _echo(self, said: Message, text: str) -> None:
        first, self._seq = said.seq > self._seq, max(said.seq, self._seq)
        client = self._client
        if "echo-message" in client.caps:
            for line in self.encoder.message(said):
                client.tell(line)
        elif first and said.text != text.replace("\r\n", "\n").rstrip():
            client.notice(f"The room made this of what you said: {said.text}", self.channel.name)
        client.answered()

    def _release(self, before: int | None = None) -> None:
        """Tell what was held; if given, only what comes before the event of that number."""
        held, self._held = self._held or [], None
        for index, frame in enumerate(held):
            if before is not None and frame.seq > before:
                self._held = held[index:]
                break
            self._hear(frame)

    def _hear(self, frame: Frame) -> None:
        if frame.seq:
            self._seq = frame.seq
            if isinstance(frame.notice, Message) and self._listed:
                self._see(frame.notice.author.id)
            self._client.write_data(frame.data)
            return
        match frame.notice:
            case Kicked():
                self._reason = frame.notice.text  # what follows is that the room closes this connection
            case Presence():
                self._presence(frame.notice)
            case Typing() if "message-tags" in self._client.caps and frame.notice.member.id != self.session.member_id:
                state = {"+typing": "active" if frame.notice.on else "done"}
                nick = self.channel.nick(frame.notice.member)
                self._client.write(Line("TAGMSG", (self.channel.name,), source(nick), state))

    def _presence(self, presence: Presence) -> None:
        self._listed = presence.listed
        if not self._listed:
            return
        if presence.members is not None:  # there was a crowd, and is none any more
            here = {member.id for member in presence.members}
            for member_id in [each for each in self._told if each not in here]:
                self._part(member_id)
        for member in presence.left:
            self._part(member.id)
        for member in (*(presence.members or ()), *presence.renamed, *presence.joined):
            # As the member is now: this may have waited.
            self._meet(self.channel.room.member(member.id) or member)

    def _see(self, member_id: str) -> None:
        """Tell of a member who speaks before the client was told of them: presence is gathered, messages are not."""
        member = self.channel.room.member(member_id)
        if member is not None:
            self._meet(member)

    def _part(self, member_id: str) -> None:
        if member_id != self.session.member_id and (nick := self._told.pop(member_id, None)) is not None:
            self._client.write(Line("PART", (self.channel.name,), source(nick)))

    def _meet(self, member: Member) -> None:
        if member.id == self.session.member_id:
            self._client.is_called(self.channel.nick(member))
            self._told[member.id] = self._client.nick
            return
        before, nick = self._told.get(member.id), self._nick(member)
        if before == nick:
            return
        if before is not None and self._client.hears_of_rename(self, before, nick):
            self._client.write(Line("NICK", (nick,), source(before)))
        else:
            self._part(member.id)
            self._client.write(Line("JOIN", (self.channel.name,), source(nick)))
        self._told[member.id] = nick

    def _nick(self, member: Member) -> str:
        return self._client.nick if member.id == self.session.member_id else self.channel.nick(member)

    def _play_back(self, messages: tuple[Message, ...]) -> None:
        caps = self._client.caps
        if "draft/chathistory" in caps:
            return  # such a client asks for what it wants
        batch = self._client.new_batch() if {"batch", "server-time"} <= caps else None
        if "server-time" not in caps:
            messages = tuple(map(_with_time, messages[-_PLAYED_BACK:]))
        lines: list[list[Line]] = []
        size = 0
        for said in reversed(messages):
            lines.append(self.lines(said, batch))
            size += sum(len(line.params[-1].encode()) + 200 for line in lines[-1])
            if size > _PLAYED_BACK_BYTES:
                break
        if batch is not None and any(lines):
            self._client.tell(Line("BATCH", (f"+{batch}", "chathistory", self.channel.name), n.SERVER))
        for line in (line for each in reversed(lines) for line in each):
            self._client.tell(line)
        if batch is not None and any(lines):
            self._client.tell(Line("BATCH", (f"-{batch}",), n.SERVER))


def _with_time(said: Message) -> Message:
    when = datetime.fromtimestamp(said.date, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return replace(said, text=f"[{when}] {said.text}")
