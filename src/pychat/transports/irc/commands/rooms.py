"""Rooms: `JOIN`, `PART`, `NAMES`, `LIST`, `TOPIC` and `MODE`, and what only an operator could do."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.transports.admission import opened
from pychat.transports.irc import numerics as n
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.line import Line
from pychat.transports.irc.nicks import source

__all__ = ["COMMANDS", "not_there"]


_NAMING = 10  # times what it costs to look at somebody, to tell their name


async def _join(client: Client, line: Line) -> None:
    if line.params[0] == "0":
        for membership in list(client.memberships.values()):
            await _leave(client, membership.channel.name)
        return
    for name in _targets(client, line):
        await _join_one(client, name)


def _targets(client: Client, line: Line) -> list[str]:
    """The channels of a list; twice as many as there are, at most."""
    return line.params[0].split(",")[: 2 * len(client.network.channels)]


async def _join_one(client: Client, name: str) -> None:
    channel = client.find(name)
    if channel is None:
        not_there(client, name)
    elif channel.key not in client.memberships:
        membership = client.new_membership(channel)
        try:
            if channel.key in client.barred:
                raise client.barred[channel.key]
            await opened(channel.room)
            await client.look_at(_NAMING * channel.room.member_count)
            await membership.enter(client.member_id(channel), client.users.get(channel.key))
        except Refused as refused:
            client.refuse("JOIN", refused, n.ERR_UNAVAILRESOURCE, channel.name)
            if refused.kind.is_temporary:  # clients try again by themselves where the line ends, and nowhere else
                client.close(refused.kind.close)
            return
        if membership.out:  # the room has sent the client away meanwhile, and said so
            await membership.session.close(left=not client.is_known())
            return
        client.memberships[channel.key] = membership
        membership.begin()


async def _part(client: Client, line: Line) -> None:
    for name in _targets(client, line):
        await _leave(client, name)


async def _leave(client: Client, name: str) -> None:
    membership = client.membership_in(name)
    if membership is None:
        not_there(client, name)
    else:
        del client.memberships[membership.channel.key]
        client.tell(Line("PART", (membership.channel.name,), source(client.nick)))
        await membership.session.close(left=True)


def not_there(client: Client, name: str) -> None:
    """Answer that there is no such channel, or that the client is not in it."""
    if client.find(name) is not None:
        client.reply(n.ERR_NOTONCHANNEL, name, f"You are not there. Come in with /join {name}")
    else:
        names = " ".join(channel.name for channel in client.network.channels.values())
        client.reply(n.ERR_NOSUCHCHANNEL, name, f"There is no room of that name here. There are: {names}")


async def _names(client: Client, line: Line) -> None:
    for name in (
        _targets(client, line)
        if line.params
        else [membership.channel.name for membership in client.memberships.values()]
    ):
        channel = client.find(name)
        if channel is not None:
            await client.look_at(_NAMING * channel.room.member_count)
        membership = client.membership_in(name)
        if membership is not None:
            membership.names()
        elif channel is not None:
            client.names(channel, [channel.nick(member) for member in channel.room.first_members()])
        else:
            client.reply(n.RPL_ENDOFNAMES, name, "There is no room of that name here.")


async def _list(client: Client, line: Line) -> None:
    client.reply(n.RPL_LISTSTART, "Channel", "Users  Name")
    for channel in client.network.channels.values():
        await client.pace()
        client.reply(n.RPL_LIST, channel.name, str(channel.room.here), channel.title)
    client.reply(n.RPL_LISTEND, "That is all.")


async def _topic(client: Client, line: Line) -> None:
    channel = client.find(line.params[0])
    if channel is None:
        not_there(client, line.params[0])
    elif len(line.params) > 1:
        client.reply(n.ERR_CHANOPRIVSNEEDED, channel.name, "The title of a room is set by who runs it.")
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
        client.reply(n.RPL_ENDOFBANLIST, channel.name, "Nobody is banned by a list here.")
    else:
        client.reply(n.ERR_CHANOPRIVSNEEDED, channel.name, "A room has no modes to set.")


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
