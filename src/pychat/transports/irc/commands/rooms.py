"""The IRC commands about channels: `JOIN`, `PART`, `NAMES`, `LIST`, `TOPIC`, `MODE`, `KICK` and `INVITE`."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.transports.admission import opened
from pychat.transports.irc import numerics as n
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
    for name in _targets(client, line):
        await _join_one(client, name)


def _targets(client: Client, line: Line) -> list[str]:
    """The channels of a list, at most twice as many as the client knows of, and some that it may not know of yet."""
    more = _MAX_UNKNOWN if client.network.rooms.asks else 0
    return line.params[0].split(",")[: 2 * len(client.channels) + more]


async def _join_one(client: Client, name: str) -> None:
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
            await client.pacer.look_at(_NAMING * channel.room.member_count)
            await membership.enter(client.member_id(channel), client.users.get(channel.key), grant)
        except Refused as refused:
            if refused.code == "unknown_room":
                not_there(client, name)
                return
            client.refuse(
                "JOIN",
                refused,
                _REFUSED.get(refused.code, n.ERR_UNAVAILRESOURCE),
                name if channel is None else channel.name,
            )
            # Clients try again by themselves only after a lost connection.
            if refused.kind.is_temporary and channel is not None and channel.key in client.network.channels:
                client.close(refused.kind.close)
            return
        if membership.out:  # the room has put the client out meanwhile
            await membership.leave(left=not client.is_known())
            return
        client.memberships[channel.key] = membership
        membership.begin()


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
            client.names(channel, [channel.nick(member) for member in members])
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


async def _topic(client: Client, line: Line) -> None:
    channel = client.find(line.params[0])
    if channel is None:
        not_there(client, line.params[0])
    elif len(line.params) > 1:
        client.reply(n.ERR_CHANOPRIVSNEEDED, channel.name, "Only the server's operator can set the title of a room.")
    else:
        client.reply(n.RPL_TOPIC, channel.name, channel.title)


async def _mode(client: Client, line: Line) -> None:
    target, modes = line.params[0], line.params[1:]
    channel = client.find(target)
    if channel is None:
        if target == client.nick:
            client.reply(n.RPL_UMODEIS, "+")
        else:
            not_there(client, target)
    elif not modes:
        client.reply(n.RPL_CHANNELMODEIS, channel.name, "+nt")
    elif modes[0].lstrip("+") == "b" and len(modes) == 1:
        client.reply(n.RPL_ENDOFBANLIST, channel.name, "There is no ban list here.")
    else:
        client.reply(n.ERR_CHANOPRIVSNEEDED, channel.name, "Rooms have no modes to set.")


async def _operate(client: Client, line: Line) -> None:
    name = next((word for word in line.params if word.startswith("#")), "*")
    client.reply(n.ERR_CHANOPRIVSNEEDED, name, "Rooms have no operators on IRC.")


COMMANDS: Commands = {
    "INVITE": Command(_operate),
    "JOIN": Command(_join, 1),
    "KICK": Command(_operate),
    "LIST": Command(_list),
    "MODE": Command(_mode, 1),
    "NAMES": Command(_names),
    "PART": Command(_part, 1),
    "TOPIC": Command(_topic, 1),
}
