"""Direct messages between a client and one other person: a direct room, whose messages are `PRIVMSG` between nicks."""

from __future__ import annotations

from collections.abc import Callable

from pychat.domain.errors import Close
from pychat.domain.model import LogEvent, Member, Message
from pychat.room.backend import RoomBackend
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.encoder import Frame, LineEncoder
from pychat.transports.irc.membership import OF_THE_ROOM, ChannelMembership, Person

__all__ = ["Conversation", "DirectChannel"]


class DirectChannel(Channel):
    """A direct room of two, as one of them sees it."""

    def __init__(self, room: RoomBackend, member_id: str, client: Person, nick: Callable[[str, str], str]) -> None:
        """`member_id` is the client's own. `nick` returns how the client knows a member, from the id and a nick."""
        super().__init__(room)
        #: The id of the other member.
        self.other = next(each for each in room.members if each != member_id)
        self._member_id = member_id
        self._client = client
        self._nick = nick
        self._other_nick = ""

    def nick(self, member: Member) -> str:
        """The nick by which the client knows a member; the client's own for itself."""
        if member.id == self._member_id:
            return self._client.nick
        nick = self._nick(member.id, super().nick(member))
        if member.id == self.other:
            self._other_nick = nick
        return nick

    @property
    def other_nick(self) -> str:
        """The nick of the other person."""
        other = self.room.member(self.other)
        return self._other_nick if other is None else self.nick(other)

    def is_called(self, nick: str) -> None:
        """The client has written to the other person by this nick."""
        self._other_nick = nick

    def target(self, author: Member) -> str:
        """To whom a line of that author goes: to the client, or from the client to the other person."""
        return self.other_nick if author.id == self._member_id else self._client.nick


class Conversation(ChannelMembership):
    """The connection between a client and a direct room. It is no channel for the client."""

    def __init__(self, client: Person, channel: DirectChannel, ended: Callable[[Conversation], None]) -> None:
        """`ended` is called when the room has put the client out."""
        super().__init__(client, channel, LineEncoder(channel, client.caps))
        #: The direct room.
        self.direct = channel
        self._ended = ended

    def close(self, why: Close) -> None:
        """End the conversation, or close the client's connection: `why` decides."""
        if why in OF_THE_ROOM:
            self.out = True
            self._ended(self)
        else:
            self._client.close(why)

    def begin_after(self, seq: int) -> None:
        """Send the messages after number `seq`; then write the held frames."""
        assert self._welcome is not None  # noqa: S101 -- a room sends this first
        welcome, self._welcome = self._welcome, None
        for said in welcome.messages:
            if said.seq > seq and not said.deleted and said.author.id != self.session.member_id:
                for line in self.encoder.message(said):
                    self._client.write(line)
        self.shown(welcome.position.seq)
        self._release()

    def _hear(self, frame: Frame) -> None:
        if isinstance(frame.notice, LogEvent):
            self._seq = frame.seq
            if frame.notice.author.id != self.session.member_id or "echo-message" in self._client.caps:
                self._client.write_data(frame.data)
            self.shown(frame.seq)

    def _echo(self, said: Message, text: str) -> None:
        self._seq = max(said.seq, self._seq)
        if "echo-message" in self._client.caps:
            for line in self.encoder.message(said):
                self._client.tell(line)
        self._client.answered()
