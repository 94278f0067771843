"""The IRC commands of moderators: `MODE`, `TOPIC`, `KICK` and `INVITE`; and `KNOCK`, which asks them."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.domain.queue import is_rejected
from pychat.domain.roles import Role
from pychat.room.entry import Applicant
from pychat.transports.admission import opened
from pychat.transports.irc import numerics as n
from pychat.transports.irc.channel import Channel
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.commands.rooms import not_there
from pychat.transports.irc.line import Line
from pychat.transports.irc.membership import ChannelMembership
from pychat.transports.irc.modes import MASKS, Change, ban_of, changes, mask_of_record, modes_of, parse_ban
from pychat.transports.irc.nicks import casefold, nick_like
from pychat.transports.irc.text import clean

__all__ = ["COMMANDS"]

_MAX_BANS = 1_000  # in one list
_MAX_KICKED = 4  # in one line
_LISTING = ("b",), ("+b",)
_REFUSED = {"bad_request": n.ERR_INVALIDMODEPARAM, "forbidden": n.ERR_CHANOPRIVSNEEDED, "too_many": n.ERR_BANLISTFULL}
#: What a setting is changed to by a mode without a parameter.
_SETTINGS = {"i": ("entry", "ask", "open"), "m": ("writing", "members", "all")}


async def _mode(client: Client, line: Line) -> None:
    target, words = line.params[0], line.params[1:]
    channel = client.find(target)
    if channel is None:
        if target == client.nick:
            client.reply(n.RPL_UMODEIS, "+")
        else:
            not_there(client, target)
    elif not words:
        client.reply(n.RPL_CHANNELMODEIS, channel.name, *modes_of(channel.moderation))
    elif words in _LISTING:
        await _list_bans(client, channel)
    elif (membership := _moderated(client, "MODE", target)) is not None:
        settings: dict[str, str] = {}
        for change in changes(words):
            await _change(client, membership, change, settings)
        if settings:
            await _perform(client, membership, "MODE", "set", (), **settings)


def _moderated(client: Client, command: str, name: str) -> ChannelMembership | None:
    """The membership in a channel that the client may moderate; `None`, after an error line, if there is none."""
    membership = client.membership_in(name)
    channel = client.find(name)
    if membership is None:
        if channel is None:
            not_there(client, name)
        else:
            client.reply(n.ERR_CHANOPRIVSNEEDED, channel.name, "You are not in this channel, and do not moderate it.")
        return None
    try:
        membership.session.require("moderate")
    except Refused as refused:
        client.refuse(command, refused, n.ERR_CHANOPRIVSNEEDED, membership.channel.name)
        return None
    return membership


async def _perform(
    client: Client, membership: ChannelMembership, command: str, action: str, context: tuple[str, ...], **fields: object
) -> None:
    """Perform an action of moderators. Everybody in the channel is told of it, also this client."""
    try:
        await membership.session.moderate(action, fields)
    except Refused as refused:
        numeric = _REFUSED.get(refused.code)
        more = context if numeric in (n.ERR_INVALIDMODEPARAM, n.ERR_BANLISTFULL) else ()
        client.refuse(command, refused, numeric, membership.channel.name, *more)


async def _change(client: Client, membership: ChannelMembership, change: Change, settings: dict[str, str]) -> None:
    """Change one mode; what can be changed together with others is put into `settings`."""
    state, letter, channel = membership.channel.moderation, change.letter, membership.channel.name
    if letter == "b" and change.param is None:
        await _list_bans(client, membership.channel)
    elif letter == "k" and not change.on:
        settings["password"] = ""
    elif letter in "ovbk" and not change.param:
        _invalid(client, membership, change, "Name the person after the mode." if letter in "ov" else "Give a key.")
    elif letter == "b":
        await _ban(client, membership, change)
    elif letter in "ov":
        await _give_role(client, membership, change)
    elif letter == "k" and change.param is not None:
        if "," in change.param or change.param.startswith(":"):
            _invalid(client, membership, change, "A password for IRC has no comma, and does not begin with a colon.")
        else:
            settings["password"] = change.param
    elif letter in _SETTINGS:
        name, restricted, free = _SETTINGS[letter]
        if not change.on:
            settings[name] = free
        elif state.setting(name) == free:  # else it is restricted already, perhaps more
            settings[name] = restricted
    elif not (letter in "nt" and change.on):
        told = "It is always set." if letter in "nt" else "There is no such mode here."
        client.reply(n.ERR_UNKNOWNMODE, letter, f"{told} The modes of {channel} are b, i, k, m, o and v.")


def _invalid(client: Client, membership: ChannelMembership, change: Change, text: str) -> None:
    context = membership.channel.name, change.letter, change.param or "*"
    client.refuse("MODE", Refused("bad_request", text), n.ERR_INVALIDMODEPARAM, *context)


async def _give_role(client: Client, membership: ChannelMembership, change: Change) -> None:
    channel, nick = membership.channel, change.param or ""
    member = channel.nicks.member(nick)
    if member is None:
        client.reply(n.ERR_USERNOTINCHANNEL, nick, channel.name, "Nobody in this channel has this nick.")
        return
    role, stored = channel.room.core.moderation.role_of(member.id), channel.moderation.stored_role(member.id)
    moderates = role >= Role.MODERATOR
    if change.letter == "o":
        wanted = None if moderates == change.on else Role.MODERATOR if change.on else Role.MEMBER
    elif change.on:
        wanted = None if moderates else Role.MEMBER
    else:
        wanted = Role.GUEST if stored is Role.MEMBER and not moderates else None
    if wanted is not None:
        await _perform(client, membership, "MODE", "role", (), member=member.id, role=wanted.label)
        if change.letter == "o" and not change.on and channel.mark(member.id) == "@":
            client.notice(f"{nick} stays a moderator: the app has given this role.", channel.name)


async def _ban(client: Client, membership: ChannelMembership, change: Change) -> None:
    channel, mask = membership.channel, change.param or ""
    whom, action = parse_ban(mask), "ban" if change.on else "unban"
    if whom is None:
        _invalid(client, membership, change, MASKS)
        return
    fields = {"network": whom.network}
    if whom.nick:
        member_id = channel.nicks.last_id(whom.nick) if change.on else ban_of(channel.moderation, whom.nick)
        if member_id is None:
            known = "Nobody who is here, or was here lately, has this nick." if change.on else "There is no such ban."
            _invalid(client, membership, change, f"{known} See the bans: /mode {channel.name} b")
            return
        fields = {"member": member_id}
    await _perform(client, membership, "MODE", action, (change.letter, mask), **fields)


async def _list_bans(client: Client, channel: Channel) -> None:
    """Answer with the bans. Clients ask for them by themselves, so that others than moderators get an empty list."""
    membership = client.memberships.get(channel.key)
    if membership is None or "moderate" not in membership.session.access:
        client.reply(n.RPL_ENDOFBANLIST, channel.name, "Only moderators see the bans.")
        return
    for ban in [*channel.moderation.of("ban").values()][-_MAX_BANS:]:
        client.reply(n.RPL_BANLIST, channel.name, mask_of_record(ban))
        await client.pacer.pace()
        if not client.is_open():
            return
    client.reply(n.RPL_ENDOFBANLIST, channel.name, "End of the bans.")


async def _topic(client: Client, line: Line) -> None:
    channel = client.find(line.params[0])
    if channel is None:
        not_there(client, line.params[0])
    elif len(line.params) == 1:
        client.topic(channel)
    elif (membership := _moderated(client, "TOPIC", channel.name)) is not None:
        await _perform(client, membership, "TOPIC", "set", ("t", "*"), topic=clean(line.params[1]))


async def _kick(client: Client, line: Line) -> None:
    membership = _moderated(client, "KICK", line.params[0])
    if membership is None:
        return
    channel, reason = membership.channel, clean(line.params[2]) if len(line.params) > 2 else ""
    for nick in line.params[1].split(",")[:_MAX_KICKED]:
        member = channel.nicks.member(nick)
        if member is None:
            client.reply(n.ERR_USERNOTINCHANNEL, nick, channel.name, "Nobody in this channel has this nick.")
        else:
            await _perform(client, membership, "KICK", "kick", ("b", nick), member=member.id, reason=reason)


async def _invite(client: Client, line: Line) -> None:
    """Let somebody in who asks."""
    nick, name = line.params[:2]
    membership = _moderated(client, "INVITE", name)
    if membership is None:
        return
    asking = membership.channel.moderation.of("asking").values()
    called = [each for each in asking if casefold(nick_like(str(each.data["name"]))) == casefold(nick)]
    item = next((each.key for each in called if not is_rejected(each)), None)
    if item is None:
        told = "Nobody of this nick asks to come in. Make an invitation on the page, or with “pychat invite”."
        client.reply(n.ERR_NOSUCHNICK, nick, told)
        return
    await _perform(client, membership, "INVITE", "approve", ("i", nick), item=item)
    if membership.channel.moderation.get("asking", item) is None:
        client.reply(n.RPL_INVITING, nick, membership.channel.name)


async def _knock(client: Client, line: Line) -> None:
    """Ask the moderators to be let in."""
    name, text = line.params[0], clean(line.params[1]) if len(line.params) > 1 else ""
    if client.membership_in(name) is not None:
        client.notice("You are in this channel.", name)
        return
    try:
        channel, grant = await client.look_up(name)
        await opened(channel.room)
        who = Applicant(client.member_id(channel), client.users.get(channel.key), grant)
        asked = {"ask": {"name": client.nick, "text": text}}
        done = await client.network.rooms.desk.enter(channel.room, who, asked)
    except Refused as refused:
        if refused.code == "unknown_room":
            not_there(client, name)
        else:
            client.refuse("KNOCK", refused, None, name)
        return
    client.is_guest(channel, done.member_id)
    told = "The moderators see that you ask. Try" if done.waiting else "You may come in:"
    client.notice(f"{told} /join {channel.name}{' again in a while.' if done.waiting else ''}")


COMMANDS: Commands = {
    "INVITE": Command(_invite, 2),
    "KICK": Command(_kick, 2),
    "KNOCK": Command(_knock, 1),
    "MODE": Command(_mode, 1),
    "TOPIC": Command(_topic, 1),
}
