"""One client in one channel: the room's connection to it, the nicks that it knows, and the order of its lines.

A room does not send a message to its author's connection, because the page shows it already. In IRC the order of the
lines is the order of the messages. So an author's echo is put in its place among the messages of others: while the
client awaits an answer, frames after a missing number are held until the echo is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from pychat.domain.errors import Close, Refused
from pychat.domain.model import Kicked, Member, Message, Typing, User, Whisper
from pychat.domain.moderation import AuditEntry
from pychat.domain.notices import AccessChanged, HeldDecided, Presence, PutOut, Welcome
from pychat.room.clock import Timer
from pychat.room.grant import Grant
from pychat.room.session import Session
from pychat.transports.admission import admit
from pychat.transports.irc.channel import Channel, ModeratorActed
from pychat.transports.irc.encoder import Frame, LineEncoder
from pychat.transports.irc.known_nicks import KnownNicks
from pychat.transports.irc.line import LINE_BYTES, SERVER, Line
from pychat.transports.irc.modes import change_mark, mask_of, modes_set
from pychat.transports.irc.nicks import source
from pychat.transports.irc.outbox import Outbox
from pychat.transports.irc.playback import playback
from pychat.transports.irc.text import clean, cut

__all__ = ["OF_THE_ROOM", "ChannelMembership", "Person"]

_MAX_HELD = 10_000  # frames while joining or saying; with more, the client is too slow
_READ_SECONDS = 1.0  # after which a line that was sent counts as read, if the client has taken it
#: The client stays connected, for other rooms.
OF_THE_ROOM = frozenset(
    {
        *(Close.KICKED, Close.UNKNOWN_ROOM, Close.NO_ACCESS, Close.DELETED),
        *(Close.BANNED, Close.ENTRY_REQUIRED, Close.CLOSED),
    }
)


class Person(Protocol):
    """The methods of a client that its memberships use."""

    nick: str
    caps: frozenset[str]
    outbox: Outbox

    def tell(self, line: Line) -> None:
        """Send a line of the answer to the current command."""

    def reply(self, numeric: str, *params: str) -> None:
        """Answer with a numeric."""

    def notice(self, text: str, target: str | None = None) -> None:
        """Answer with a text for people."""

    def names(self, channel: Channel, nicks: Iterable[str]) -> None:
        """Answer with the nicks in a channel."""

    def topic(self, channel: Channel) -> None:
        """Answer with the topic of a channel."""

    def answered(self) -> None:
        """End the answer."""

    def write(self, line: Line) -> None:
        """Send a line that is no answer."""

    def write_data(self, data: bytes) -> None:
        """Send encoded lines."""

    def new_batch(self) -> str:
        """A new name for a batch."""

    def is_called(self, nick: str) -> None:
        """Set the nick, and tell the client and its memberships."""

    def hears_of_rename(self, membership: ChannelMembership, before: str, after: str) -> bool:
        """True if a `NICK` line would be true in all rooms of this client; the other rooms then know of it."""

    def remove_membership(self, membership: ChannelMembership) -> None:
        """Leave a room that has put the client out."""

    def close(self, why: Close) -> None:
        """Close the connection, and say why."""


class ChannelMembership:
    """The connection between a client and a room."""

    session: Session

    def __init__(self, client: Person, channel: Channel, encoder: LineEncoder) -> None:
        self._client = client
        self.channel = channel
        self.encoder = encoder
        self.known = KnownNicks()
        self._welcome: Welcome | None = None
        self._held: list[Frame] | None = []
        self._saying = False
        self._seq = 0
        self._counts = False  # true if the room counts what this person has not read
        self._shown = 0  # the number of the newest event that was sent to the client
        self._marked = 0  # the number up to which the room was told that it is read
        self._reading: Timer | None = None
        self._listed = True
        self._marks: dict[str, str] = {}  # by member id: the prefixes that the client knows
        self._reason = ""
        self._put_out_by = SERVER
        #: True after the room has put the client out.
        self.out = False

    # The port `Connection`: called by the room.

    def send(self, frame: Frame) -> None:
        """Write a frame to the client, or hold it until the client may get it."""
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
        """Put the client out of the channel, or close its connection: `why` decides."""
        if why in OF_THE_ROOM:
            self.out = True
            self.channel.listeners.pop(self, None)
            self._kick(self._client.nick, self._reason or f"{why.text} ({why.reason})", self._put_out_by)
            self._client.remove_membership(self)
        else:
            self._client.close(why)

    # Called by the client's commands.

    async def enter(self, member_id: str | None, user: User | None = None, grant: Grant | None = None) -> None:
        """Enter the room as that member or user. Raise `Refused`."""
        member_id = None if user else member_id
        self._counts = grant is not None and grant.person is not None
        self.session = await admit(self.channel.room, self, member_id=member_id, user=user, grant=grant)
        try:
            member = None if user is None else self.session.member  # a login may come with a name
            if member is None:
                member, _ = await self.session.join(self._client.nick)
        except BaseException:
            await self.session.close(left=True)
            raise
        self._client.is_called(self.channel.nick(member))

    def begin(self) -> None:
        """Tell the client the topic, the members and the newest messages; then write the held frames."""
        assert self._welcome is not None  # noqa: S101 -- a room sends this first
        client, name, welcome = self._client, self.channel.name, self._welcome
        self._welcome = None  # its messages may be erased later
        client.tell(Line("JOIN", (name,), source(client.nick)))
        client.topic(self.channel)
        self.names()
        self.channel.listeners[self] = None
        self._listed = welcome.listed
        if not self._listed:
            client.notice(f"{welcome.here} people are in {name}: too many to tell you who comes and goes.")
        lines = list(playback(welcome.messages, client.caps, self.encoder, client.new_batch()))
        for line in lines:
            client.tell(line)
        if lines:
            self.shown(welcome.position.seq)
        self._release()

    async def leave(self, *, left: bool) -> None:
        """Leave the room; the name is free if the person `left` on purpose."""
        self.channel.listeners.pop(self, None)
        self.mark_read()
        self._counts = False
        if self._reading is not None:
            self._reading.cancel()
        await self.session.close(left=left)

    def names(self) -> None:
        """Tell the client the members; in a crowd, a part of them."""
        client, channel = self._client, self.channel
        nicks = {member.id: self._nick(member) for member in channel.room.first_members()}
        if channel.room.member_count <= channel.room.limits.listed:
            self.known.replace(nicks)
            self._marks.clear()
        nicks[self.session.member_id or ""] = client.nick
        marks = {member_id: mark for member_id in nicks if (mark := channel.mark(member_id))}
        self._marks |= marks
        client.names(channel, [marks.get(member_id, "") + nick for member_id, nick in nicks.items()])

    async def say(self, text: str, message_id: str | None = None, reply_to: int | None = None) -> Message:
        """Send a message, and write its echo in its place if the client wants it. Raise `Refused`."""
        self._saying = True
        try:
            said = await self.session.say(text, message_id, reply_to)
            if said.seq:
                self._release(before=said.seq)
                self._echo(said, text)
            else:
                told = "Your message waits: a moderator reads it before others see it."
                self._client.notice(told, self.channel.name)
                self._client.answered()
        finally:
            self._saying = False
            self._release()
        return said

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Hold all frames until the block ends, so that no message comes between those of a history."""
        if self._held is not None:
            yield
            return
        self._held = []
        try:
            yield
        finally:
            self._release()

    # What the person has read

    def shown(self, seq: int) -> None:
        """Event number `seq`, and those before, were sent to the client: they soon count as read."""
        self._shown = max(seq, self._shown)
        if self._counts and self._reading is None:
            self._reading = self.channel.room.clock.call_later(_READ_SECONDS, self._read)

    def _read(self) -> None:
        self._reading = None
        self.mark_read()
        if self._marked < self._shown and not self._client.outbox.is_closing():  # the client has not taken all of it
            self.shown(self._shown)

    def mark_read(self) -> None:
        """Count as read what the client has taken."""
        outbox, member_id = self._client.outbox, self.session.member_id
        if self._counts and member_id and self._marked < self._shown and not (outbox.buffered or outbox.is_closing()):
            self._marked = self._shown
            self.channel.room.read(member_id, self._shown)

    # Frames

    def _echo(self, said: Message, text: str) -> None:
        first, self._seq = said.seq > self._seq, max(said.seq, self._seq)
        client = self._client
        if "echo-message" in client.caps:
            for line in self.encoder.message(said):
                client.tell(line)
        elif first and said.text != text.replace("\r\n", "\n").rstrip():
            client.notice(f"The room changed your message to: {said.text}", self.channel.name)
        client.answered()

    def _release(self, before: int | None = None) -> None:
        """Write the held frames; with `before`, only those with a lower number."""
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
            if self._counts:
                self.shown(frame.seq)
            return
        match frame.notice:
            case Kicked():
                self._reason = frame.notice.text  # the room closes this connection next
            case PutOut():
                self._reason = " ".join(clean(frame.notice.error.text).split())
            case HeldDecided() if frame.notice.state == "rejected":
                reason = " ".join(clean(frame.notice.reason).split())
                told = f"A moderator has rejected your message{f': {reason}' if reason else '.'}"
                self._client.notice(told, self.channel.name)
            case Presence():
                self._presence(frame.notice)
            case ModeratorActed():
                self._acted(frame.notice)
            case AccessChanged() if frame.notice.muted is not None:
                try:
                    self.session.require("write")
                except Refused as refused:
                    self._client.notice(refused.text, self.channel.name)
            case Whisper():
                for line in self.encoder.whisper(frame.notice, self._client.nick):
                    self._client.write(line)
            case Typing() if "message-tags" in self._client.caps and frame.notice.member.id != self.session.member_id:
                state = {"+typing": "active" if frame.notice.on else "done"}
                nick = self.channel.nick(frame.notice.member)
                self._client.write(Line("TAGMSG", (self.channel.name,), source(nick), state))

    # What moderators do

    def moderated(self, what: ModeratorActed) -> None:
        """A moderator acted."""
        self.send(Frame(what))

    def _acted(self, what: ModeratorActed) -> None:
        entry = what.entry
        by = SERVER if entry is None else self.channel.source(entry.by)
        for member_id in what.roles:
            self._show_mark(member_id, by)
        if entry is None:
            return
        if entry.action in ("ban", "kick") and entry.target == self.session.member_id:
            self._put_out_by = by
        elif entry.action in ("ban", "kick") and (nick := self.known.pop(entry.target)) is not None:
            self._marks.pop(entry.target, None)
            self._kick(nick, entry.reason, by)
        elif entry.action in ("ban", "unban") and "moderate" in self.session.access:  # addresses are for moderators
            mode = "+b" if entry.action == "ban" else "-b"
            self._client.write(Line("MODE", (self.channel.name, mode, mask_of(entry.name, entry.target)), by))
        elif entry.action == "set":
            self._settings(entry, by)

    def _settings(self, entry: AuditEntry, by: str) -> None:
        name, topic = self.channel.name, self.channel.topic
        if "topic" in entry.data or ("title" in entry.data and topic == self.channel.title):
            space = LINE_BYTES - len(f":{by} TOPIC {name} :\r\n".encode())
            self._client.write(Line("TOPIC", (name, cut(topic, space)), by))
        modes = modes_set(entry.data)
        if modes:
            self._client.write(Line("MODE", (name, *modes), by))

    def _kick(self, nick: str, reason: str, by: str) -> None:
        space = LINE_BYTES - len(f":{by} KICK {self.channel.name} {nick} :\r\n".encode())
        reason = cut(reason, space) or "A moderator has removed this person."
        self._client.write(Line("KICK", (self.channel.name, nick, reason), by))

    def _show_mark(self, member_id: str, by: str = SERVER) -> None:
        """Tell the client of the prefix of a member that it knows, if it has changed."""
        nick = self._client.nick if member_id == self.session.member_id else self.known.nick(member_id)
        before, mark = self._marks.get(member_id, ""), self.channel.mark(member_id)
        if nick is None or before == mark:
            return
        self._marks[member_id] = mark
        if not mark:
            del self._marks[member_id]
        self._client.write(Line("MODE", (self.channel.name, *change_mark(before, mark, nick)), by))

    # Presence

    def _presence(self, presence: Presence) -> None:
        self._listed = presence.listed
        if not self._listed:
            return
        if presence.members is not None:  # the room was crowded until now
            here = {member.id for member in presence.members}
            for member_id in [each for each in self.known if each not in here]:
                self._part(member_id)
        for member in presence.left:
            self._part(member.id)
        for member in (*(presence.members or ()), *presence.renamed, *presence.joined):
            # This notice may have been held, so take the member as they are now.
            self._meet(self.channel.room.member(member.id) or member)

    def _see(self, member_id: str) -> None:
        """Tell the client of an author whom it does not know yet: presence is gathered, messages are not."""
        member = self.channel.room.member(member_id)
        if member is not None and self.known.nick(member_id) != self.channel.nick(member):
            self._meet(member)

    def _part(self, member_id: str) -> None:
        if member_id != self.session.member_id and (nick := self.known.pop(member_id)) is not None:
            self._marks.pop(member_id, None)
            self._client.write(Line("PART", (self.channel.name,), source(nick)))

    def _meet(self, member: Member) -> None:
        if member.id == self.session.member_id:
            self._client.is_called(self.channel.nick(member))
            self.known.set(member.id, self._client.nick)
            self._show_mark(member.id)
            return
        before, nick = self.known.nick(member.id), self._nick(member)
        if before == nick:
            self._show_mark(member.id)
            return
        if before is not None and self._client.hears_of_rename(self, before, nick):
            self._client.write(Line("NICK", (nick,), source(before)))
        else:
            self._part(member.id)
            self._marks.pop(member.id, None)
            self._client.write(Line("JOIN", (self.channel.name,), source(nick)))
        self.known.set(member.id, nick)
        self._show_mark(member.id)

    def _nick(self, member: Member) -> str:
        return self._client.nick if member.id == self.session.member_id else self.channel.nick(member)
