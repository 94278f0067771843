"""The IRC commands about channels: `JOIN`, `PART`, `NAMES` and `LIST`."""

from __future__ import annotations

from itertools import chain, repeat

from pychat.domain.errors import Refused
from pychat.domain.queue import invitation_id
from pychat.room.entry import Applicant
from pychat.room.grant import Grant
from pychat.transports.admission import opened
from pychat.transports.irc import numerics as n
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.line import Line
from pychat.transports.irc.membership import ChannelMembership
from pychat.transports.irc.nicks import casefold, source
from pychat.transports.irc.text import clean

__all__ = ["COMMANDS", "not_there"]

_MAX_UNKNOWN = 20  # channels in one command that the client does not know of
_MAX_LISTED = 200
_NAMING = 10  # sending a name costs as much as looking at this many members


async def _join(client: Client, line: Line) -> None:
    if line.params[0] == "0":
        for membership in list(client.memberships.values()):
            await _leave(client, membership.channel.name)
        return
    keys = line.params[1].split(",") if len(line.params) > 1 else []
    for name, key in zip(_targets(client, line), chain(keys, repeat(""))):  # noqa: B905 -- the keys have no end
        await _join_one(client, name, key)


def _targets(client: Client, line: Line) -> list[str]:
    """The channels of a list, at most twice as many as the client knows of, and some that it may not know of yet."""
    more = _MAX_UNKNOWN if client.network.rooms.asks else 0
    return line.params[0].split(",")[: 2 * len(client.channels) + more]


async def _join_one(client: Client, name: str, key: str) -> None:
    channel = client.find(name)
    if channel is None and not client.network.rooms.asks:
        not_there(client, name)
    elif channel is None or channel.key not in client.memberships:
        try:
            if channel is not None and channel.key in client.barred:
                raise client.barred[channel.key]
            channel, grant = await client.look_up(name)
            if channel.key in client.memberships:  # of another room whose name differs only in case
                return
            membership = ChannelMembership(client, channel, client.network.encoder(channel, client.caps))
            await opened(channel.room)
            if key and not await _give_key(client, channel, grant, key):
                return
            await client.pacer.look_at(_NAMING * channel.room.member_count)
            await membership.enter(client.member_id(channel), client.users.get(channel.key), grant)
        except Refused as refused:
            if refused.code == "unknown_room":
                not_there(client, name)
                return
            numeric = _REFUSED.get(refused.code, n.ERR_UNAVAILRESOURCE)
            if channel is not None and refused.code == "entry_required" and channel.moderation.setting("password"):
                numeric = n.ERR_BADCHANNELKEY
                refused = Refused(refused.code, f"{refused.text} On IRC: /join {channel.name} PASSWORD")
            client.refuse("JOIN", refused, numeric, name if channel is None else channel.name)
            # Clients try again by themselves only after a lost connection.
            if refused.kind.is_temporary and channel is not None and channel.key in client.network.channels:
                client.close(refused.kind.close)
            return
        if membership.out:  # the room has put the client out meanwhile
            await membership.leave(left=not client.is_known())
            return
        client.memberships[channel.key] = membership
        membership.begin()


async def _give_key(client: Client, channel: Channel, grant: Grant, key: str) -> bool:
    """Become known to a room by `key`, which is its password or an invitation. Return false if it is refused."""
    state = channel.moderation
    if state.get("invite", invitation_id(key)) is not None:
        way = "invite"
    elif state.setting("password"):
        way = "password"
    else:
        return True  # entering says what the room asks for
    who = Applicant(client.member_id(channel), client.users.get(channel.key), grant)
    try:
        entered = await client.network.rooms.desk.enter(channel.room, who, {way: key})
    except Refused as refused:
        wrong = refused.code in ("entry_required", "rate_limited")
        numeric = n.ERR_BADCHANNELKEY if wrong else _REFUSED.get(refused.code, n.ERR_UNAVAILRESOURCE)
        client.refuse("JOIN", refused, numeric, channel.name)
        return False
    client.is_guest(channel, entered.member_id)
    return True


#: The numerics of refusals to enter a room, by code.
_REFUSED = {
    "banned": n.ERR_BANNEDFROMCHAN,
    "kicked": n.ERR_BANNEDFROMCHAN,
    "entry_required": n.ERR_INVITEONLYCHAN,
    "challenge_required": n.ERR_INVITEONLYCHAN,
    "room_closed": n.ERR_INVITEONLYCHAN,
}


async def _part(client: Client, line: Line) -> None:
    for name in _targets(client, line):
        await _leave(client, name)


async def _leave(client: Client, name: str) -> None:
    membership = client.membership_in(name)
    if membership is None:
        not_there(client, name)
    else:
        del client.memberships[membership.channel.key]
        membership.mark_read()
        client.tell(Line("PART", (membership.channel.name,), source(client.nick)))
        await membership.leave(left=True)


def not_there(client: Client, name: str) -> None:
    """Answer that there is no such channel, or that the client is not in it."""
    if client.find(name) is not None:
        client.reply(n.ERR_NOTONCHANNEL, name, f"You are not in this channel. Enter it with /join {name}")
    else:
        names = " ".join(channel.name for channel in client.network.channels.values())
        told = f"There is no room of that name here.{names and f' The rooms are: {names}'}"
        client.reply(n.ERR_NOSUCHCHANNEL, name, told)


async def _names(client: Client, line: Line) -> None:
    for name in (
        _targets(client, line)
        if line.params
        else [membership.channel.name for membership in client.memberships.values()]
    ):
        channel = client.find(name)
        if channel is not None:
            await client.pacer.look_at(_NAMING * channel.room.member_count)
        membership = client.membership_in(name)
        if membership is not None:
            membership.names()
        elif channel is not None:
            members = channel.room.first_members() if client.may_enter(channel) else ()
            client.names(channel, [channel.marked(member) for member in members])
        else:
            client.reply(n.RPL_ENDOFNAMES, name, "There is no room of that name here.")


async def _list(client: Client, line: Line) -> None:
    client.reply(n.RPL_LISTSTART, "Channel", "Users  Name")
    for channel in client.network.channels.values():
        await client.pacer.pace()
        client.reply(n.RPL_LIST, channel.name, str(channel.room.here), channel.title)
    for room in (
        await client.network.rooms.visible(client.login, limit=_MAX_LISTED) if client.network.rooms.asks else ()
    ):
        if casefold(f"#{room.name}") not in client.network.channels:
            await client.pacer.pace()
            client.reply(n.RPL_LIST, f"#{room.name}", str(room.here), " ".join(clean(room.title).split()))
    client.reply(n.RPL_LISTEND, "End of the list.")


COMMANDS: Commands = {
    "JOIN": Command(_join, 1),
    "LIST": Command(_list),
    "NAMES": Command(_names),
    "PART": Command(_part, 1),
}
