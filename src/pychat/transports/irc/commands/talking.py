"""The IRC commands about messages: `PRIVMSG`, `NOTICE`, `TAGMSG`, `REDACT`, and `BATCH` for several lines."""

from __future__ import annotations

from pychat.domain.errors import Refused
from pychat.transports.irc import numerics as n
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.commands.rooms import not_there
from pychat.transports.irc.line import LINE_BYTES, Line
from pychat.transports.irc.membership import ChannelMembership
from pychat.transports.irc.multiline import Multiline
from pychat.transports.irc.nicks import casefold, source
from pychat.transports.irc.text import from_irc, to_irc

__all__ = ["COMMANDS", "gather"]

_ID = "+pychat/id"  # a message that is sent again with the same id is stored once


async def _privmsg(client: Client, line: Line) -> None:
    if not line.params:
        client.reply(n.ERR_NORECIPIENT, "Give a channel or a nick.")
    elif len(line.params) < 2 or not line.params[1]:
        client.reply(n.ERR_NOTEXTTOSEND, "This message is empty. Type something first.")
    else:
        for target in line.params[0].split(",")[:4]:
            await _say(client, line, target, line.params[1])


async def _say(client: Client, line: Line, target: str, said: str) -> None:
    if target.startswith("#") and client.membership_in(target) is None:
        not_there(client, target)
        return
    text, where = from_irc(said), target
    try:
        if text is None:
            raise Refused("bad_request", "CTCP requests are not supported here, except /me.")
        if casefold(target) == casefold(client.nick):
            _say_to_oneself(client, line.command, text)
            return
        membership = client.membership_in(target)
        if membership is None:
            membership = await client.conversations.find(target)
        else:
            where = membership.channel.name
        await membership.say(text, line.tags.get(_ID) or None, _answered(membership, line))
    except Refused as refused:
        nobody = refused.code in ("not_found", "login_required") and not where.startswith("#")
        client.refuse(line.command, refused, n.ERR_NOSUCHNICK if nobody else n.ERR_CANNOTSENDTOCHAN, where)


def _say_to_oneself(client: Client, command: str, text: str) -> None:
    """Send a message back. It is not stored."""
    for part in to_irc(text, LINE_BYTES - len(f":{source(client.nick)} {command} {client.nick} :\r\n".encode())):
        client.tell(Line(command, (client.nick, part), source(client.nick)))


async def _tagmsg(client: Client, line: Line) -> None:
    membership = _there(client, line.params[0])
    if membership is None:
        return
    try:
        if (typing := line.tags.get("+typing")) is not None:
            await membership.session.set_typing(typing == "active")
        for tag, on in (("+draft/react", True), ("+draft/unreact", False)):
            if (emoji := line.tags.get(tag)) is not None:
                target = _answered(membership, line)
                if target is None:
                    raise Refused("bad_request", "Name the message in the tag +draft/reply.")
                await membership.session.react(target, emoji, on)
    except Refused as refused:
        client.refuse("TAGMSG", refused, None, membership.channel.name)


async def _redact(client: Client, line: Line) -> None:
    membership = _there(client, line.params[0])
    if membership is None:
        return
    seq = membership.channel.seq(line.params[1])
    try:
        if seq is None:
            raise Refused("not_found", "There is no message of that id (any more).")
        await membership.session.delete(seq)
    except Refused as refused:
        client.refuse("REDACT", refused, None, membership.channel.name, line.params[1])


async def _batch(client: Client, line: Line) -> None:
    name = line.params[0]
    if name.startswith("+") and line.params[1:2] == ("draft/multiline",) and len(line.params) > 2:
        client.multiline = Multiline(line)
        client.expect_more()
    elif name.startswith("-") and client.multiline is not None and client.multiline.name == name[1:]:
        multiline, client.multiline = client.multiline, None
        client.begin(multiline.opening)
        opening = Line(multiline.command or "PRIVMSG", tags=multiline.opening.tags)
        await _say(client, opening, multiline.target, multiline.text)
    else:
        client.multiline = None
        raise Refused("multiline_invalid", "This server accepts one batch at a time, of the type draft/multiline.")


async def gather(client: Client, line: Line) -> None:
    """Add a line to a message of several lines."""
    if client.multiline is not None:
        try:
            client.multiline.add(line)
        except Refused as refused:
            client.begin(client.multiline.opening)
            client.multiline = None
            client.refuse("BATCH", refused, None)
        else:
            client.expect_more()


def _there(client: Client, target: str) -> ChannelMembership | None:
    """The client's membership in the channel `target`; `None`, after an error line, if there is none."""
    membership = client.membership_in(target) or client.conversations.known(target)
    if membership is None and target.startswith("#"):
        not_there(client, target)
    elif membership is None:
        client.reply(n.ERR_NOSUCHNICK, target, "Write a message to this person first.")
    return membership


def _answered(membership: ChannelMembership, line: Line) -> int | None:
    """The number of the message that `line` replies to."""
    msgid = line.tags.get("+draft/reply") or line.tags.get("+reply")
    return membership.channel.seq(msgid) if msgid else None


COMMANDS: Commands = {
    "BATCH": Command(_batch, 1),
    "NOTICE": Command(_privmsg),
    "PRIVMSG": Command(_privmsg),
    "REDACT": Command(_redact, 2),
    "TAGMSG": Command(_tagmsg, 1),
}
