"""The direct messages of one client: it finds the person of a nick, and hears of messages without a `JOIN`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress

from pychat.domain.errors import Refused
from pychat.domain.model import User
from pychat.domain.notices import UnreadRoom
from pychat.net.http.request import Request
from pychat.room.directory import RoomDirectory
from pychat.room.person import Person
from pychat.transports.irc import membership
from pychat.transports.irc.conversation import Conversation, DirectChannel
from pychat.transports.irc.nicks import casefold, nick_like

__all__ = ["Conversations"]

_log = logging.getLogger("pychat.transports")


class Conversations:
    """Direct rooms are entered when something happens in them, or when the client writes to somebody."""

    def __init__(
        self,
        client: membership.Person,
        rooms: RoomDirectory,
        memberships: Mapping[str, membership.ChannelMembership],
        request: Callable[[str], Request],
    ) -> None:
        """`memberships` are the channels that the client is in; `request` is what the app is asked with, by room."""
        self._client = client
        self._rooms = rooms
        self._memberships = memberships
        self._request = request
        #: Who the client is in all rooms, and as which user. A guest who cannot come back is nobody.
        self.person: Person | None = None
        self.user: User | None = None
        self._listed: dict[str, UnreadRoom] = {}
        self._open: dict[str, Conversation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._ended = False

    async def start(self) -> list[UnreadRoom]:
        """Tell the client of direct messages from now on, and of those that are unread. Return the other rooms."""
        person = self.person
        if person is None:
            return []
        rooms = await self._rooms.readers.watch(person.member_id, self.user, self)
        if self._ended:
            self._rooms.readers.unwatch(person.member_id, self)
            return []
        self._listed |= {room.name: room for room in rooms if _is_of_two(room)}
        self._hear_of([room for room in rooms if room.messages])
        return [room for room in rooms if not _is_of_two(room)]

    def unread(self, changed: list[UnreadRoom], gone: list[str]) -> None:
        """Enter the direct rooms in which something has happened."""
        self._hear_of(changed)

    def _hear_of(self, rooms: list[UnreadRoom]) -> None:
        for room in rooms:
            if _is_of_two(room) and room.name not in self._open:
                self._listed.setdefault(room.name, room)
                task = asyncio.get_running_loop().create_task(self._enter_soon(room.name))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _enter_soon(self, name: str) -> None:
        try:
            await self._enter(name)
        except Refused:
            pass  # the next message is another occasion
        except Exception:
            _log.exception("Direct messages could not be delivered to an IRC client")

    async def _enter(self, name: str, nick: str = "") -> Conversation:
        async with self._turn:
            known, person = self._open.get(name), self.person
            if known is not None:
                return known
            if person is None or self._ended:
                raise Refused.standard("shutdown")
            client, request = self._client, self._request
            listed = self._listed.get(name)
            if listed is None:
                counts = (await self._rooms.readers.unread([person.member_id]))[person.member_id]
                seq = next((each.seq for each in counts if each.room == name), 0)
            else:
                seq = listed.seq
            found = await self._rooms.find(name, self.user, request(name), person=person)
            channel = DirectChannel(found.room, person.member_id, client, self._nick)
            channel.is_called(nick)
            conversation = Conversation(client, channel, self._put_out)
            await conversation.enter(person.member_id, self.user, found.grant)
            if conversation.out or self._ended:
                await conversation.leave(left=False)
                raise Refused.standard("shutdown")
            self._open[name] = conversation
            conversation.begin_after(seq)
            return conversation

    def _put_out(self, conversation: Conversation) -> None:
        name = conversation.channel.room.name
        self._listed.pop(name, None)
        if self._open.get(name) is conversation:
            del self._open[name]
            task = asyncio.get_running_loop().create_task(conversation.leave(left=False))
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)

    # Nicks

    def _nick(self, member_id: str, nick: str) -> str:
        """How the client knows a member: as in one of its channels, or by a nick that is nobody else's there."""
        for each in self._memberships.values():
            member = each.channel.room.member(member_id)
            if member is not None:
                return each.channel.nick(member)
        wanted, number = nick, 1
        own = "" if self._ended else self._client.nick
        while casefold(nick) == casefold(own) or self._called(nick) - {member_id}:
            number += 1
            nick = f"{wanted}_{number}"
        return nick

    def _called(self, nick: str) -> set[str]:
        """The ids of the members of that nick in the client's channels."""
        found = (each.channel.nicks.member(nick) for each in self._memberships.values())
        return {member.id for member in found if member is not None}

    def known(self, nick: str) -> Conversation | None:
        """The conversation with the person of that nick, if there is one."""
        key = casefold(nick)
        return next((each for each in self._open.values() if casefold(each.direct.other_nick) == key), None)

    async def find(self, nick: str) -> Conversation:
        """The conversation with the person of that nick; it begins if it has not. Raise `Refused`."""
        person = self.person
        if person is None:
            raise Refused("login_required", "For direct messages, set a server password, and connect again.")
        ids, known = self._called(nick), self.known(nick)
        if known is not None:
            ids.add(known.direct.other)  # somebody else may have taken the nick meanwhile
            if len(ids) == 1:
                return known
        if not ids:
            others = [each for room in self._listed.values() for each in room.people if each.id != person.member_id]
            ids = {each.id for each in others if each.name and casefold(nick_like(each.name)) == casefold(nick)}
        if len(ids) != 1:
            many = "Several people have this nick. Write in a channel."
            raise Refused("not_found", many if ids else "Nobody in your channels has this nick.")
        address = self._request("").remote
        rates, charges = self._rooms.rates, self._rooms.limits.table.charges["direct"]
        rates.spend(charges, person.usage, rates.address(address))
        self._rooms.spend_direct(person, self.user, address)
        room = await self._rooms.direct_with(person, ids)
        return await self._enter(room.name, nick)

    # The client

    async def rename(self, name: str) -> None:
        """Take another name in all conversations, where it is free."""
        for conversation in list(self._open.values()):
            with suppress(Refused):  # the name there stays
                await conversation.session.join(name)

    async def leave(self, *, left: bool) -> None:
        """Hear of nothing more."""
        self._ended = True
        if self.person is not None:
            self._rooms.readers.unwatch(self.person.member_id, self)
        for task in tuple(self._tasks):
            task.cancel()
        if self._tasks or self._leaving:
            await asyncio.wait(self._tasks | self._leaving)
        for conversation in list(self._open.values()):
            await conversation.leave(left=left)
        self._open.clear()
        del self._client, self._request  # else the client and its conversations would keep each other alive


def _is_of_two(room: UnreadRoom) -> bool:
    return len(room.people) == 2
