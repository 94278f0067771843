"""One IRC client: who it is, its capabilities, the rooms that it is in, and how it is answered."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from pychat.domain.access import Access
from pychat.domain.errors import Close, Refused
from pychat.domain.model import User
from pychat.net.http.request import Request
from pychat.protocol.told import count_refusal
from pychat.room.backend import RoomBackend
from pychat.room.directory import RoomDirectory
from pychat.room.grant import Grant, unknown_room
from pychat.room.person import Person
from pychat.room.tokens import Tokens
from pychat.transports.admission import opened
from pychat.transports.authenticator import Authenticator
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.conversations import Conversations
from pychat.transports.irc.encoder import LineEncoder
from pychat.transports.irc.line import LINE_BYTES, SERVER, Line
from pychat.transports.irc.membership import ChannelMembership
from pychat.transports.irc.multiline import Multiline
from pychat.transports.irc.nicks import casefold, source
from pychat.transports.irc.numerics import RPL_ENDOFNAMES, RPL_NAMREPLY, RPL_NOTOPIC, RPL_TOPIC, RPL_TOPICWHOTIME
from pychat.transports.irc.outbox import Outbox
from pychat.transports.irc.pacing import Pacer, Turns
from pychat.transports.irc.response import Response
from pychat.transports.irc.text import as_word, clean, cut, fill, split
from pychat.transports.irc.unread import unread_texts
from pychat.transports.logins import StopWatching, nobody_watches

__all__ = ["Client", "Network"]

_MAX_TEXT_BYTES = 200  # of a text in one of the server's own lines, so that the line is not too long for anybody


class Registry(Protocol):
    """The clients of a server."""

    def __len__(self) -> int: ...

    def rename(self, client: Client, before: str, after: str) -> None:
        """Index a client under another nick."""

    def called(self, nick: str) -> Iterable[Client]:
        """The clients that have this nick."""


class Network(Turns, Protocol):
    """What a client uses of its server."""

    started: str
    authenticator: Authenticator

    @property
    def channels(self) -> Mapping[str, Channel]:
        """The channels that everybody may know, by their casefolded names."""

    @property
    def rooms(self) -> RoomDirectory:
        """The rooms of the server."""

    def channel(self, room: RoomBackend) -> Channel:
        """The channel of a room that somebody may enter."""

    @property
    def clients(self) -> Registry:
        """Every connected client."""

    def encoder(self, channel: Channel, caps: frozenset[str]) -> LineEncoder:
        """The encoder of that channel for clients with these capabilities."""


class Client:
    """One connection, from its first line to its last."""

    def __init__(self, network: Network, outbox: Outbox, remote: str = "") -> None:
        self.network = network
        self.remote = remote
        self.outbox = outbox
        self.pacer = Pacer(network, outbox, remote)
        self.nick = "*"
        #: The nick and the user name that were sent before the registration was complete.
        self.wanted: str | None = None
        self.asked_nick: str | None = None
        self.user: str | None = None
        self.password = ""
        self.caps: frozenset[str] = frozenset()
        #: For each channel: the user of the app that this client is, or why the app refuses the client.
        self.users: dict[str, User] = {}
        #: The user of the app where no room is meant.
        self.login: User | None = None
        self.barred: dict[str, Refused] = {}
        self.negotiating = False
        self.registered = False
        self.memberships: dict[str, ChannelMembership] = {}
        #: The guest that this client was in a channel that has put it out: coming back, it is the same one.
        self._guests: dict[str, str] = {}
        self.conversations = Conversations(self, network.rooms, self.memberships, self._request)
        self.multiline: Multiline | None = None
        #: True after `QUIT`.
        self.left = False
        self._stop_watching: StopWatching = nobody_watches
        self._response = Response(self.write)
        self._batches = 0
        self._guest: Person | None = None
        self._telling: asyncio.Task[None] | None = None
        self._leaving: set[asyncio.Task[None]] = set()

    def is_open(self) -> bool:
        """True until the connection is closed by either side."""
        return not self.outbox.is_closing()

    # Identity

    @property
    def secret(self) -> bytes:
        """Proves to every room that this is the same person as before. Empty without a password."""
        if not self.password or self.user is None:
            return b""
        return hashlib.sha256(f"{self.user}\0{self.password}".encode()).digest()

    def member_id(self, channel: Channel) -> str | None:
        """The id of this client's member in a room; `None` for a new guest."""
        if channel.key in self.memberships:
            return self.memberships[channel.key].session.member_id
        if channel.key in self.users:
            return self.users[channel.key].member_id
        if not self.secret:
            return self._guests.get(channel.key)
        return self._guest_id(channel.room.tokens)

    async def identify(self) -> None:
        """Ask the app for the user, room by room. Raise `Refused` if every room refuses."""
        self._stop_watching()
        self.users, self.barred, self.login = {}, {}, None
        if not self.network.authenticator.asks:
            return
        if not self.network.channels:
            self.login = await self.network.authenticator.authenticate(self._request(""))
            self._watch("")
            return
        for key, channel in self.network.channels.items():
            try:
                user = await self.network.authenticator.authenticate(self._request(channel.room.name))
            except Refused as refused:
                self.barred[key] = refused
            else:
                self.users |= {} if user is None else {key: user}
        if len(self.barred) == len(self.network.channels):
            raise next(iter(self.barred.values()))
        if self.users:
            key, self.login = next(iter(self.users.items()))
            self._watch(self.network.channels[key].room.name)

    def _watch(self, room: str) -> None:
        """Ask again for the login, as it was asked for with this room."""
        self._stop_watching = self.network.authenticator.watch(self._request(room), self.login, self._put_out)

    def _put_out(self, why: Close) -> None:
        self.left = True  # nobody can come back to the names
        self.close(why)

    def _request(self, room: str) -> Request:
        auth = {"nick": self.asked_nick, "user": self.user, **({"token": self.password} if self.password else {})}
        return Request("GET", "/irc", {}, {}, self.remote, room, self, auth)

    async def look_up(self, name: str) -> tuple[Channel, Grant]:
        """The channel of that name, which this client may enter, and what it may do there. Raise `Refused`."""
        public = self.network.channels.get(casefold(name))
        room = name.removeprefix("#") if public is None else public.room.name
        user = None if public is None else self.users.get(public.key)
        request = self._request(room)
        if public is None and self.network.authenticator.asks:
            user = await self.network.authenticator.authenticate(request)
        person = await self.recognise(user)
        found = await self.network.rooms.find(room if name.startswith("#") else "", user, request, person=person)
        if len(found.room.members) == 2:  # direct messages are in no channel
            raise unknown_room()
        channel = self.network.channel(found.room)
        if user is not None:
            self.users[channel.key] = user
        return channel, found.grant

    async def recognise(self, user: User | None) -> Person | None:
        """The person that `user` is, or a guest with a password, in all rooms; `None` for a guest who cannot come back.

        It is the same for all connections of the person.
        """
        rooms = self.network.rooms
        if user is not None:
            return rooms.person(user.member_id)
        if self.secret and self._guest is None:
            with suppress(Refused):  # the store is unavailable
                self._guest = rooms.person(self._guest_id(await rooms.tokens()))
        return self._guest

    def _guest_id(self, tokens: Tokens) -> str:
        # The secret of the server makes the id, so that nobody can guess the password from the id, or the reverse.
        return tokens.issue(f"irc:{self.secret.hex()}").partition(".")[2]

    def is_known(self) -> bool:
        """True if this person can be recognised on another connection: by a password, or by the app."""
        return bool(self.secret or self.users or self.login)

    def _is_also(self, other: Client) -> bool:
        """True if `other` is another client of the same person."""
        return self._proof == other._proof and self._proof is not None

    @property
    def _proof(self) -> object:
        """What is the same for all clients of one person; `None` for an unknown one."""
        return self.secret or None if self.login is None else self.login.member_id

    # The nick

    async def check_nick(self, nick: str) -> str:
        """The form in which this client may take `nick` now. Raise `Refused` if it may not."""
        if any(other is not self and not self._is_also(other) for other in self.network.clients.called(nick)):
            raise Refused("name_taken", f"Somebody is called “{nick}”. Take another nick: /nick NAME")
        name = nick
        for channel in self.channels:
            await opened(channel.room)
            member_id = self.member_id(channel) or ""
            name = channel.room.check_name(nick, member_id)
            holder = channel.nicks.member(nick)
            if holder is not None and holder.id != member_id:
                raise Refused("name_taken", f"Somebody in {channel.name} is called that here. Take another nick.")
        return name

    def set_nick(self, nick: str) -> None:
        """Set the nick without a line to the client."""
        self.network.clients.rename(self, self.nick, nick)
        self.nick = nick

    def is_called(self, nick: str) -> None:
        """Set the nick, and tell the client and its memberships."""
        if nick != self.nick:
            self.write(Line("NICK", (nick,), source(self.nick)))
            for membership in self.memberships.values():
                membership.known.rename(self.nick, nick)
            self.set_nick(nick)

    def hears_of_rename(self, membership: ChannelMembership, before: str, after: str) -> bool:
        """True if a `NICK` line would be true in all rooms of this client; the other rooms then know of it.

        The same nick can be another person in another room, and a person can have another nick in each room.
        """
        theirs = []
        for other in self.memberships.values():
            if other is not membership and (member_id := other.known.member_id(before)) is not None:
                member = other.channel.room.member(member_id)
                if member is None or other.channel.nick(member) != after:
                    return False
                theirs.append((other, member_id))
            elif other is not membership and other.known.member_id(after) is not None:
                return False
        for other, member_id in theirs:
            other.known.set(member_id, after)
        return True

    # The rooms

    @property
    def channels(self) -> list[Channel]:
        """The channels that this client knows of: those for everybody, and those that it is in."""
        entered = {key: membership.channel for key, membership in self.memberships.items()}
        return list({**self.network.channels, **entered}.values())

    def find(self, name: str) -> Channel | None:
        """The channel of that name, if this client knows of it."""
        membership = self.membership_in(name)
        return self.network.channels.get(casefold(name)) if membership is None else membership.channel

    def may_enter(self, channel: Channel) -> bool:
        """True if this client is in the channel, or would be let in: nobody else is told who is there."""
        if channel.key in self.memberships:
            return True
        grant = Grant(Access.WRITE, address=self.remote)
        try:
            channel.room.check_entry(grant, self.users.get(channel.key), self.member_id(channel))
        except Refused:
            return False
        return channel.key not in self.barred

    def membership_in(self, name: str) -> ChannelMembership | None:
        """The membership in the channel of that name, if the client is in it."""
        return self.memberships.get(casefold(name))

    def is_guest(self, channel: Channel, member_id: str) -> None:
        """Be that guest in a channel from now on, if nothing else says who this client is."""
        self._guests[channel.key] = member_id

    def remove_membership(self, membership: ChannelMembership) -> None:
        """Leave a room that has put the client out."""
        if self.memberships.get(membership.channel.key) is membership:
            del self.memberships[membership.channel.key]
            if membership.session.member_id is not None:
                self._guests[membership.channel.key] = membership.session.member_id
            task = asyncio.get_running_loop().create_task(membership.leave(left=not self.is_known()))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def leave(self) -> None:
        """Leave all rooms. The names of unknown persons are free at once: nobody can come back to them."""
        self._stop_watching()
        for membership in list(self.memberships.values()):
            await membership.leave(left=self.left or not self.is_known())
        self.memberships.clear()
        await self.conversations.leave(left=self.left or not self.is_known())
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self._leaving:
            await asyncio.wait(self._leaving)
        self.pacer.end()
        self._response = Response(_drop)  # the one before refers to this client

    # What is unread

    async def tell_unread(self) -> None:
        """Tell the person soon of unread rooms and direct messages. The client need not wait for it."""
        self.conversations.person = person = await self.recognise(self.login)
        if person is not None:
            self.pacer.usage = person.usage
        self.conversations.user = self.login
        self._telling = asyncio.get_running_loop().create_task(self._tell_unread())

    async def _tell_unread(self) -> None:
        with suppress(Refused):  # the store is unavailable
            for text in unread_texts(await self.conversations.start()):
                self.write(Line("NOTICE", (self.nick, cut(text, _MAX_TEXT_BYTES)), SERVER))

    # AnswerBatch

    def begin(self, line: Line) -> None:
        """Begin the answer to `line`."""
        labelled = {"batch", "labeled-response"} <= self.caps
        label = line.tags.get("label") if labelled else None
        self._response = Response(self.write, label or None, self.new_batch() if label else "")

    def expect_more(self) -> None:
        """Answer later, when all lines of the batch have come."""
        self._response = Response(self.write)

    def answered(self) -> None:
        """End the answer: later lines are no part of it."""
        self._response.end()

    def tell(self, line: Line) -> None:
        """Send a line of the answer."""
        self.pacer.spend()
        self._response.tell(line)

    def reply(self, numeric: str, *params: str) -> None:
        """Answer with a numeric. Its first parameter is always the client's nick; the last one is cut to fit."""
        self.tell(Line(numeric, (self.nick, *map(as_word, params[:-1]), cut(params[-1], _MAX_TEXT_BYTES)), SERVER))

    def notice(self, text: str, target: str | None = None) -> None:
        """Answer with a text for people."""
        for part in split(" ".join(clean(text).split()), _MAX_TEXT_BYTES):
            self.tell(Line("NOTICE", (target or self.nick, part), SERVER))

    def refuse(self, command: str, refused: Refused, numeric: str | None, *context: str) -> None:
        """Answer that `command` is refused: by a standard reply of IRCv3, by `numeric`, or by a text for people."""
        count_refusal(refused)
        text = cut(refused.text, _MAX_TEXT_BYTES)
        if "standard-replies" in self.caps:
            wait = () if refused.retry_after is None else (f"{max(refused.retry_after, 0.1):.1f}",)
            code = as_word(refused.code.upper())
            self.tell(Line("FAIL", (command, code, *map(as_word, context), *wait, text), SERVER))
        elif numeric is not None:
            self.reply(numeric, *context, text)
        else:
            self.notice(text)

    def names(self, channel: Channel, nicks: Iterable[str]) -> None:
        """Answer with the nicks in a channel."""
        space = LINE_BYTES - len(f":{SERVER} {RPL_NAMREPLY} {self.nick} = {channel.name} :\r\n".encode())
        for words in fill(nicks, space):
            self.reply(RPL_NAMREPLY, "=", channel.name, words)
        self.reply(RPL_ENDOFNAMES, channel.name, "End of names.")

    def topic(self, channel: Channel) -> None:
        """Answer with the topic of a channel."""
        inside = self.may_enter(channel)
        topic = channel.topic if inside else channel.title
        if not topic:
            self.reply(RPL_NOTOPIC, channel.name, "This channel has no topic.")
            return
        space = LINE_BYTES - len(f":{SERVER} {RPL_TOPIC} {self.nick} {channel.name} :\r\n".encode())
        self.tell(Line(RPL_TOPIC, (self.nick, channel.name, cut(topic, space)), SERVER))
        if inside and channel.topic_set is not None:
            nick, date = channel.topic_set
            self.reply(RPL_TOPICWHOTIME, channel.name, nick, str(date))

    def new_batch(self) -> str:
        """A new name for a batch."""
        self._batches += 1
        return f"b{self._batches}"

    # Other lines

    def write(self, line: Line) -> None:
        """Send a line that is no answer."""
        self.outbox.write(line.encode())

    def write_data(self, data: bytes) -> None:
        """Send encoded lines."""
        self.outbox.write(data)

    def close(self, why: Close) -> None:
        """Close the connection, and say why."""
        self.hang_up(f"{why.text} ({why.reason})")

    def hang_up(self, text: str) -> None:
        """Close the connection with this text."""
        self.outbox.close(Line("ERROR", (f"Closing link: {text}",)).encode())


def _drop(line: Line) -> None:
    """Drop a line to a client that has left."""
