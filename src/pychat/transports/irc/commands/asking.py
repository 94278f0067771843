"""The IRC commands that ask about people and the server: `WHO`, `WHOIS`, `ISON`, `MOTD`, `VERSION` and others."""

from __future__ import annotations

from datetime import UTC, datetime

from pychat._version import __version__
from pychat.domain.model import Member
from pychat.transports.irc import numerics as n
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.line import SERVER, Line
from pychat.transports.irc.text import fill

__all__ = ["COMMANDS", "lusers", "motd"]

_USER, _HOST = "~chat", "pychat"


async def _who(client: Client, line: Line) -> None:
    mask = line.params[0] if line.params else "*"
    channel = client.find(mask)
    if channel is not None:
        for member in channel.room.first_members() if client.may_enter(channel) else ():
            await client.pacer.pace()
            if not client.is_open():
                return
            if not client.may_enter(channel):
                break
            _who_reply(client, channel, member)
    else:
        for where, member in _called(client, mask)[:1]:
            _who_reply(client, where, member)
    client.reply(n.RPL_ENDOFWHO, mask, "End of the list.")


def _who_reply(client: Client, channel: Channel, member: Member) -> None:
    nick = channel.nick(member)
    client.reply(
        n.RPL_WHOREPLY, channel.name, _USER, _HOST, SERVER, nick, f"H{channel.mark(member.id)}", f"0 {member.name}"
    )


async def _whois(client: Client, line: Line) -> None:
    nick = line.params[-1]
    found = _called(client, nick)
    if found:
        _, member = found[0]
        names = " ".join(channel.mark(each.id) + channel.name for channel, each in found)
        client.reply(n.RPL_WHOISUSER, nick, _USER, _HOST, "*", member.name)
        client.reply(n.RPL_WHOISCHANNELS, nick, names)
        client.reply(
            n.RPL_WHOISSERVER, nick, SERVER, "On the page, on IRC or on another client: the server does not tell."
        )
    else:
        client.reply(n.ERR_NOSUCHNICK, nick, "Nobody here has this nick.")
    client.reply(n.RPL_ENDOFWHOIS, nick, "End of the list.")


def _called(client: Client, nick: str) -> list[tuple[Channel, Member]]:
    """The members with that nick, each with the channel."""
    found = [(channel, channel.nicks.member(nick)) for channel in client.channels]
    return [(channel, member) for channel, member in found if member is not None and client.may_enter(channel)]


async def _ison(client: Client, line: Line) -> None:
    nicks = [nick for word in line.params for nick in word.split()][:20]
    here = fill([nick for nick in nicks if _called(client, nick)], 180)
    client.reply(n.RPL_ISON, next(here, ""))


async def _userhost(client: Client, line: Line) -> None:
    here = [nick for nick in line.params[:5] if nick == client.nick or _called(client, nick)]
    client.reply(n.RPL_USERHOST, next(fill([f"{nick}=+{_USER}@{_HOST}" for nick in here], 180), ""))


async def _away(client: Client, line: Line) -> None:
    if line.params and line.params[0]:
        client.reply(n.RPL_NOWAWAY, "You are marked as away. Rooms do not show it.")
    else:
        client.reply(n.RPL_UNAWAY, "You are no longer marked as away.")


async def lusers(client: Client, line: Line) -> None:
    """Answer with the numbers of people and channels."""
    rooms = [channel.room for channel in client.channels]
    client.reply(n.RPL_LUSERCLIENT, f"{sum(room.here for room in rooms)} people are in the rooms of this server.")
    client.reply(n.RPL_LUSERCHANNELS, str(len(rooms)), "channels formed")
    client.reply(n.RPL_LUSERME, f"{len(client.network.clients)} of them are on IRC.")


async def motd(client: Client, line: Line) -> None:
    """Answer with the rooms of this server."""
    client.reply(n.RPL_MOTDSTART, f"- {SERVER} -")
    for channel in client.channels:
        client.reply(n.RPL_MOTD, f"- {channel.name}: {channel.title} ({channel.room.here} here)")
    client.reply(n.RPL_ENDOFMOTD, "Enter a room with /join and its name.")


async def _version(client: Client, line: Line) -> None:
    client.reply(n.RPL_VERSION, f"pychat-{__version__}", SERVER, "A chat room for the browser, and for IRC.")


async def _time(client: Client, line: Line) -> None:
    now = datetime.fromtimestamp(client.network.rates.clock.date(), UTC)
    client.reply(n.RPL_TIME, SERVER, f"{now:%Y-%m-%d %H:%M:%S} UTC")


COMMANDS: Commands = {
    "AWAY": Command(_away),
    "ISON": Command(_ison, 1),
    "LUSERS": Command(lusers),
    "MOTD": Command(motd),
    "TIME": Command(_time),
    "USERHOST": Command(_userhost, 1),
    "VERSION": Command(_version),
    "WHO": Command(_who),
    "WHOIS": Command(_whois, 1),
}
