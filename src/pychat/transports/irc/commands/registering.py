"""The IRC commands that begin and end a connection: `CAP`, `PASS`, `NICK`, `USER`, `PING` and `QUIT`."""

from __future__ import annotations

from pychat._version import __version__
from pychat.domain.actions import FIELDS
from pychat.domain.errors import Refused
from pychat.transports.irc import numerics as n
from pychat.transports.irc.capabilities import listing, requested
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.asking import lusers, motd
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.history import MAX_MESSAGES
from pychat.transports.irc.line import SERVER, Line
from pychat.transports.irc.modes import CHANMODES, MODES, PREFIX
from pychat.transports.irc.nicks import NICK_WORDS, is_nick

__all__ = ["COMMANDS"]


async def _cap(client: Client, line: Line) -> None:
    match line.params[0].upper(), line.params[1:]:
        case "LS", version:
            client.negotiating = not client.registered
            _cap_reply(client, "LS", listing(values=bool(version) and version[0].isdigit() and int(version[0]) >= 302))
        case "LIST", _:
            _cap_reply(client, "LIST", " ".join(sorted(client.caps)))
        case "REQ", (words, *_):
            client.negotiating = not client.registered
            caps = requested(client.caps, words.split())
            _cap_reply(client, "NAK" if caps is None else "ACK", words)
            client.caps = client.caps if caps is None else caps
        case "END", _:
            client.negotiating = False
            await _let_in(client, line)
        case what, _:
            client.reply(n.ERR_INVALIDCAPCMD, what, "CAP takes LS, LIST, REQ or END.")


def _cap_reply(client: Client, what: str, words: str) -> None:
    client.tell(Line("CAP", (client.nick, what, words), SERVER))


async def _pass(client: Client, line: Line) -> None:
    if client.registered:
        client.reply(n.ERR_ALREADYREGISTERED, "You are connected already. Set the password, and connect again.")
    else:
        client.password = line.params[0]


async def _user(client: Client, line: Line) -> None:
    if client.registered:
        client.reply(n.ERR_ALREADYREGISTERED, "You are connected already.")
    else:
        client.user = line.params[0]
        await _let_in(client, line)


async def _nick(client: Client, line: Line) -> None:
    wanted = line.params[0] if line.params else ""
    if not wanted:
        client.reply(n.ERR_NONICKNAMEGIVEN, "Give a nick: /nick NAME")
    elif not is_nick(wanted):
        client.refuse("NICK", Refused("name_invalid", NICK_WORDS), n.ERR_ERRONEUSNICKNAME, wanted)
    elif not client.registered:
        client.wanted = client.asked_nick = wanted
        await _let_in(client, line)
    elif wanted != client.nick:
        await _rename(client, wanted)


async def _rename(client: Client, wanted: str) -> None:
    """Change the name in all rooms of the client, or in none."""
    before, done = client.nick, []
    try:
        wanted = await client.check_nick(wanted)
        memberships = list(client.memberships.values())
        for membership in memberships:
            member, _ = await membership.session.join(wanted)
            done.append(membership)
            if membership is memberships[-1]:
                wanted = membership.channel.nick(member)  # a hook may have changed it
    except Refused as refused:
        for membership in done:
            await membership.session.join(before)
        _refuse_nick(client, refused, wanted)
    else:
        client.is_called(wanted)
        await client.conversations.rename(wanted)


async def _let_in(client: Client, line: Line) -> None:
    """Complete the registration, if the client has sent all that it takes."""
    if client.registered or client.negotiating or client.wanted is None or client.user is None:
        return
    try:
        await client.identify()
    except Refused as refused:
        client.refuse("NICK", refused, n.ERR_PASSWDMISMATCH)
        client.hang_up(refused.text)
        return
    wanted, client.wanted = client.wanted, None
    try:
        client.set_nick(await client.check_nick(wanted))
    except Refused as refused:
        if refused.kind.is_temporary:  # another nick would not help
            client.notice(refused.text)
            client.close(refused.kind.close)
            return
        _refuse_nick(client, refused, wanted)
        return
    client.registered = True
    network = client.network
    client.reply(n.RPL_WELCOME, f"Welcome to pychat, {client.nick}.")
    client.reply(n.RPL_YOURHOST, f"This is {SERVER}, with pychat {__version__}.")
    client.reply(n.RPL_CREATED, f"This server was started at {network.started}.")
    client.reply(n.RPL_MYINFO, SERVER, f"pychat-{__version__}", "o", "bikmnotv", "bkov")
    longest = min([channel.room.limits.name for channel in network.channels.values()], default=network.limits.name)
    # Some clients look for the words "are supported by this server".
    tokens = (
        *("CASEMAPPING=ascii", "CHANTYPES=#", f"PREFIX={PREFIX}", f"CHANMODES={CHANMODES}", "CHANNELLEN=65"),
        *(f"NICKLEN={longest}", "NETWORK=pychat", "UTF8ONLY", f"CHATHISTORY={MAX_MESSAGES}"),
        *("MSGREFTYPES=msgid,timestamp", "STATUSMSG="),
        "CLIENTTAGDENY=*,-draft/react,-draft/reply,-draft/unreact,-pychat/id,-typing",
    )
    longest_topic, longest_reason = FIELDS["topic"].most, FIELDS["reason"].most
    more = f"MODES={MODES}", "MAXLIST=b:10000", f"TOPICLEN={longest_topic}", f"KICKLEN={longest_reason}"
    for each in (tokens, more):
        client.tell(Line(n.RPL_ISUPPORT, (client.nick, *each, "are supported by this server"), SERVER))
    await lusers(client, line)
    await motd(client, line)
    await client.tell_unread()


def _refuse_nick(client: Client, refused: Refused, wanted: str) -> None:
    numeric = {"name_taken": n.ERR_NICKNAMEINUSE, "name_invalid": n.ERR_ERRONEUSNICKNAME}.get(refused.code)
    client.refuse("NICK", refused, numeric or n.ERR_ERRONEUSNICKNAME, wanted)
    if "standard-replies" in client.caps:  # clients choose another nick only after these numerics
        client.reply(numeric or n.ERR_ERRONEUSNICKNAME, wanted, refused.text)


async def _ping(client: Client, line: Line) -> None:
    client.tell(Line("PONG", (SERVER, line.params[0]), SERVER))


async def _pong(client: Client, line: Line) -> None:
    """Do nothing: any line shows that the client lives."""


async def _quit(client: Client, line: Line) -> None:
    client.left = True
    client.hang_up("Goodbye.")


COMMANDS: Commands = {
    "CAP": Command(_cap, 1, before=True),
    "NICK": Command(_nick, before=True),
    "PASS": Command(_pass, 1, before=True),
    "PING": Command(_ping, 1, before=True),
    "PONG": Command(_pong, before=True),
    "QUIT": Command(_quit, before=True),
    "USER": Command(_user, 4, before=True),
}
