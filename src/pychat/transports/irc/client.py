"""One IRC client: who it is, what it can read, and the rooms that it sits in. What it asks for is in `commands`."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from pychat.domain.errors import Close, Refused
from pychat.domain.limits import Limits, TokenBucket
from pychat.domain.model import User
from pychat.net.http.request import Request
from pychat.room.clock import Clock
from pychat.transports.admission import opened
from pychat.transports.authenticator import Authenticator
from pychat.transports.irc import numerics as n
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.encoder import LineEncoder
from pychat.transports.irc.line import LINE_BYTES, Line
from pychat.transports.irc.membership import ChannelMembership
from pychat.transports.irc.multiline import Multiline
from pychat.transports.irc.nicks import casefold, source
from pychat.transports.irc.outbox import Outbox
from pychat.transports.irc.response import Response
from pychat.transports.irc.text import clean, split

__all__ = ["Client", "Network", "fill"]

_LINES_PER_SECOND, _LINES_AT_ONCE = 50, 500  # what a room counts besides is less
_ANSWERS_PER_SECOND, _ANSWERS_AT_ONCE = 500, 5_000  # in lines
_SLICE = 32  # lines of answers, after which it is somebody else's turn
_LOOKED_AT = 100  # members that cost as much as a line does
_WORD = 136  # bytes of a word, and
_TEXT = 200  # of a text, in the server's own lines: they fit, whoever is told


class Network(Protocol):
    """What a client sees of its server."""

    started: str
    clock: Clock
    limits: Limits
    #: After so long a silence a client is asked whether it lives.
    ping_seconds: float

    async def turn(self) -> None:
        """Wait until no other client's answers are made; once a turn of the event loop, in order."""

    @property
    def door(self) -> Authenticator:
        """Who asks the app who somebody is."""

    @property
    def channels(self) -> Mapping[str, Channel]:
        """Every channel, by the name that it is found by."""

    @property
    def clients(self) -> Mapping[Client, object]:
        """Everybody who is connected."""

    def wire(self, channel: Channel, caps: frozenset[str]) -> LineEncoder:
        """The wire of that channel for clients with these capabilities."""


class Client:
    """One connection, from its first line to its last."""

    def __init__(self, network: Network, outbox: Outbox, remote: str = "") -> None:
        self.network = network
        self.remote = remote
        self.outbox = outbox
        self.nick = "*"
        #: What it asked to be called, and told of itself, before it was let in.
        self.wanted: str | None = None
        self.user: str | None = None
        self.realname = ""
        self.password = ""
        self.caps: frozenset[str] = frozenset()
        #: Whom the app knows this to be, and where it refuses them: for each channel.
        self.users: dict[str, User] = {}
        self.barred: dict[str, Refused] = {}
        self.negotiating = False
        self.registered = False
        self.away = False
        self.memberships: dict[str, ChannelMembership] = {}
        self.multiline: Multiline | None = None
        self._open = True
        #: Whether it said goodbye.
        self.left = False
        self._lines = TokenBucket(_LINES_PER_SECOND if network.limits.rate else 0, _LINES_AT_ONCE)
        self._answers = TokenBucket(_ANSWERS_PER_SECOND if network.limits.rate else 0, _ANSWERS_AT_ONCE)
        self._spent = 0  # lines since its last turn
        self._response = Response(self.write)
        self._batches = 0
        self._leaving: set[asyncio.Task[None]] = set()

    def is_open(self) -> bool:
        """Whether nobody has hung up."""
        return self._open and not self.outbox.is_closing()

    # Who it is.

    @property
    def secret(self) -> bytes:
        """What proves, to every room, that somebody is the same person as before; empty without a password."""
        if not self.password or self.user is None:
            return b""
        return hashlib.sha256(f"{self.user}\0{self.password}".encode()).digest()

    def member_id(self, channel: Channel) -> str | None:
        """The member that this client is in that room, as far as it can be known before coming in."""
        if channel.key in self.memberships:
            return self.memberships[channel.key].session.member_id
        if channel.key in self.users:
            return self.users[channel.key].member_id
        if not self.secret:
            return None
        # The room's secret makes the id of it, so that neither can be guessed from the other.
        return channel.room.tokens.issue(f"irc:{self.secret.hex()}").partition(".")[2]

    async def identify(self) -> None:
        """Ask the app who this is, room by room. Raise `Refused` where none lets them in."""
        self.users, self.barred = {}, {}
        if not self.network.door.asks:
            return
        auth = {"nick": self.wanted, "user": self.user, **({"token": self.password} if self.password else {})}
        for key, channel in self.network.channels.items():
            request = Request("GET", "/irc", {}, {}, self.remote, channel.room.name, self, auth)
            try:
                user = await self.network.door.authenticate(request)
            except Refused as refused:
                self.barred[key] = refused
            else:
                self.users |= {} if user is None else {key: user}
        if len(self.barred) == len(self.network.channels):
            raise next(iter(self.barred.values()))

    def is_known(self) -> bool:
        """Whether this person will be known when they come back: by a password, or to the app."""
        return bool(self.secret or self.users)

    def _is_also(self, other: Client) -> bool:
        """Whether that is another client of the same person."""
        return (self.users or self.secret) == (other.users or other.secret) and self.is_known()

    async def check_nick(self, nick: str) -> str:
        """The form in which `nick` may be taken just now. Raise `Refused`."""
        members = sum(channel.room.member_count for channel in self.network.channels.values())
        await self.look_at(len(self.network.clients) + members)
        wanted = casefold(nick)
        for other in self.network.clients:
            same = other is not self and casefold(other.nick) == wanted
            if same and not self._is_also(other):
                raise Refused("name_taken", f"Somebody is called “{nick}”. Take another nick: /nick NAME")
        name = nick
        for channel in self.network.channels.values():
            await opened(channel.room)
            member_id = self.member_id(channel) or ""
            name = channel.room.check_name(nick, member_id)
            holder = channel.nicks.member(nick)
            if holder is not None and holder.id != member_id:
                raise Refused("name_taken", f"Somebody in {channel.name} is called that here. Take another nick.")
        return name

    def is_called(self, nick: str) -> None:
        """The client has that nick now: it is told, and its rooms too."""
        if nick != self.nick:
            self.write(Line("NICK", (nick,), source(self.nick)))
            for membership in self.memberships.values():
                membership.renamed(self.nick, nick)
            self.nick = nick

    def hears_of_rename(self, membership: ChannelMembership, before: str, after: str) -> bool:
        """Whether a `NICK` would be true in all of the client's rooms, which know of it then.

        The same nick may be somebody else in another room; and who is in several rooms changes the name in each.
        """
        theirs = []
        for other in self.memberships.values():
            if other is not membership and (member_id := other.knows(before)) is not None:
                member = other.channel.room.member(member_id)
                if member is None or other.channel.nick(member) != after:
                    return False
                theirs.append((other, member_id))
            elif other is not membership and other.knows(after) is not None:
                return False
        for other, member_id in theirs:
            other.recognises(member_id, after)
        return True

    # The rooms.

    def new_membership(self, channel: Channel) -> ChannelMembership:
        """A new place in that room, not taken yet."""
        return ChannelMembership(self, channel, self.network.wire(channel, self.caps))

    def find(self, name: str) -> Channel | None:
        """The channel of that name."""
        return self.network.channels.get(casefold(name))

    def membership_in(self, name: str) -> ChannelMembership | None:
        """The place in the channel of that name, if the client is in it."""
        return self.memberships.get(casefold(name))

    def remove_membership(self, membership: ChannelMembership) -> None:
        """The client is no longer in that room."""
        if self.memberships.get(membership.channel.key) is membership:
            del self.memberships[membership.channel.key]
            task = asyncio.get_running_loop().create_task(membership.session.close(left=not self.is_known()))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    async def leave(self) -> None:
        """Leave all rooms. Names of those who have no password, to be known by later, are free at once."""
        for membership in list(self.memberships.values()):
            await membership.session.close(left=self.left or not self.is_known())
        self.memberships.clear()
        if self._leaving:
            await asyncio.wait(self._leaving)
        self._response = Response(_nowhere)  # the one before knows this client

    # What it costs.

    async def take_in(self, size: int) -> None:
        """Count what came: `size` bytes, as so many lines of the longest."""
        await self.pay(self._lines, size / LINE_BYTES)

    async def take_line(self) -> None:
        """Count a line that came; who sends too many is read no faster."""
        self._spent += 1
        await self.pay(self._lines, 1)

    async def pay(self, bucket: TokenBucket, tokens: float) -> None:
        """Take so many tokens, as soon as they are there."""
        waited = 0.0
        while self.is_open() and (wait := bucket.take(self.network.clock.steady(), tokens)):
            await asyncio.sleep(wait := min(wait, 2.0, self.network.ping_seconds))
            waited += wait
            if waited >= self.network.ping_seconds:
                waited = 0.0
                self.write(Line("PING", (n.SERVER,)))  # nothing is read meanwhile: so it is noticed that somebody went

    async def look_at(self, members: int) -> None:
        """Before a command looks at so many members: count them, and wait where that is too much."""
        self._spent += 1 + members // _LOOKED_AT
        await self.pace()

    async def pace(self) -> None:
        """Wait where this client has had too many lines of answers at once; else let others have their turn, at times.

        To be awaited before a command, and within one between its lines. It also waits while the client does not read.
        """
        if self._spent < _SLICE:
            return
        spent, self._spent = self._spent, 0
        await self.pay(self._answers, spent)
        await self.network.turn()

    # What it is told.

    def begin(self, line: Line) -> None:
        """Begin to answer `line`."""
        labelled = {"batch", "labeled-response"} <= self.caps
        label = line.tags.get("label") if labelled else None
        self._response = Response(self.write, label or None, self.new_batch() if label else "")

    def expect_more(self) -> None:
        """The answer comes later: when all lines of the batch are here."""
        self._response = Response(self.write)

    def answered(self) -> None:
        """The command is answered; what is sent now is no part of it."""
        self._response.end()

    def tell(self, line: Line) -> None:
        """Send a line in answer to the command that is being carried out."""
        self._spent += 1
        self._response.tell(line)

    def reply(self, numeric: str, *params: str) -> None:
        """Answer with a numeric; its first parameter is always the client's nick, the last is cut to fit."""
        self.tell(Line(numeric, (self.nick, *map(_word, params[:-1]), _cut(params[-1])), n.SERVER))

    def notice(self, text: str, target: str | None = None) -> None:
        """Tell something in words."""
        whole = " ".join(clean(text).split())
        for part in split(whole, _TEXT):
            self.tell(Line("NOTICE", (target or self.nick, part), n.SERVER))

    def refuse(self, command: str, refused: Refused, numeric: str | None, *context: str) -> None:
        """Answer that `command` is refused: as IRCv3's standard reply, by a numeric, or in words."""
        text = _cut(refused.text)
        if "standard-replies" in self.caps:
            wait = () if refused.retry_after is None else (f"{max(refused.retry_after, 0.1):.1f}",)
            self.tell(Line("FAIL", (command, _word(refused.code.upper()), *map(_word, context), *wait, text), n.SERVER))
        elif numeric is not None:
            self.reply(numeric, *context, text)
        else:
            self.notice(text)

    def names(self, channel: Channel, nicks: Iterable[str]) -> None:
        """Answer who is in a channel."""
        space = LINE_BYTES - len(f":{n.SERVER} 353 {self.nick} = {channel.name} :\r\n".encode())
        for words in fill(nicks, space):
            self.reply(n.RPL_NAMREPLY, "=", channel.name, words)
        self.reply(n.RPL_ENDOFNAMES, channel.name, "End of names.")

    def new_batch(self) -> str:
        """A name for a batch."""
        self._batches += 1
        return f"b{self._batches}"

    def write(self, line: Line) -> None:
        """Send a line that nobody asked for."""
        self.outbox.write(line.encode())

    def write_data(self, data: bytes) -> None:
        """Send what was encoded for many."""
        self.outbox.write(data)

    def close(self, why: Close) -> None:
        """Say why, and hang up."""
        self.hang_up(f"{why.text} ({why.reason})")

    def hang_up(self, text: str) -> None:
        """Hang up, with these words."""
        self._open = False
        self.outbox.close(Line("ERROR", (f"Closing link: {text}",)).encode())


def _nowhere(line: Line) -> None:
    """Where goes what is said to a client that has left."""


def _word(given: str) -> str:
    """What may stand in the middle of a line, of what somebody sent."""
    word = "_".join(clean(given).split()).lstrip(":")
    return word.encode()[:_WORD].decode(errors="ignore") or "*"


def _cut(given: str) -> str:
    return next(split(" ".join(clean(given).split()), _TEXT)).rstrip()


def fill(words: Iterable[str], space: int) -> Iterator[str]:
    """`words` in lines of at most `space` bytes."""
    line: list[str] = []
    size = 0
    for word in words:
        length = len(word.encode()) + 1
        if line and size + length > space:
            yield " ".join(line)
            line, size = [], 0
        line.append(word)
        size += length
    if line:
        yield " ".join(line)
