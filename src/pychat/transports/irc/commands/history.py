"""The past: `CHATHISTORY`, after IRCv3's `draft/chathistory`."""

from __future__ import annotations

from contextlib import nullcontext

from pychat.domain.errors import Refused
from pychat.domain.model import Message
from pychat.transports.irc import numerics as n
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.history import MAX_MESSAGES, Past
from pychat.transports.irc.line import Line
from pychat.transports.irc.membership import ChannelMembership

__all__ = ["COMMANDS"]

_DRAINED = 256 * 1024  # bytes; more is not put into the way out before the client has taken some


async def _chathistory(client: Client, line: Line) -> None:
    what, target = line.params[0].upper(), line.params[1]
    if what == "TARGETS":  # people whom one wrote with in private: there are none
        await _send(client, "draft/chathistory-targets", None, [])
        return
    membership = client.membership_in(target)
    try:
        if membership is None:
            raise Refused("invalid_target", "You are not in a room of that name.")
        await membership.session.history(limit=0)  # counts as one command, as for everybody
        await _send(client, "chathistory", membership, await _find(Past(membership.channel), what, line.params[2:]))
    except Refused as refused:
        code = {"bad_request": "invalid_params", "not_found": "invalid_msgreftype"}.get(refused.code, refused.code)
        told = Refused(code, refused.text, refused.retry_after)
        client.refuse("CHATHISTORY", told, None, what, target)


async def _find(past: Past, what: str, params: tuple[str, ...]) -> list[Message]:
    if len(params) != (3 if what == "BETWEEN" else 2) or not (params[-1].isascii() and params[-1].isdigit()):
        raise Refused("bad_request", "CHATHISTORY takes what, a channel, from where, and a number of messages.")
    limit = min(int(params[-1][:9]), MAX_MESSAGES)
    match what:
        case "LATEST":
            return await past.latest(0 if params[0] == "*" else await past.seq(params[0]), limit)
        case "BEFORE":
            seq = await past.seq(params[0])
            return await past.before(seq if params[0].startswith("msgid=") else seq + 1, limit)
        case "AFTER":
            return await past.after(await past.seq(params[0]), limit)
        case "AROUND":
            seq = await past.seq(params[0])
            earlier = await past.before(seq, limit // 2)
            return [*earlier, *await past.after(seq - 1, limit - len(earlier))]
        case "BETWEEN":
            one, other = [await past.seq(each) for each in params[:2]]
            if one <= other:
                return await past.after(one, limit, before=other)
            return [said for said in await past.before(one, limit) if said.seq > other]
    raise Refused("bad_request", "CHATHISTORY takes LATEST, BEFORE, AFTER, AROUND or BETWEEN.")


async def _send(client: Client, kind: str, membership: ChannelMembership | None, messages: list[Message]) -> None:
    batch = client.new_batch() if "batch" in client.caps else None
    if batch is not None:
        where = () if membership is None else (membership.channel.name,)
        client.tell(Line("BATCH", (f"+{batch}", kind, *where), n.SERVER))
    with nullcontext() if membership is None else membership.holding():
        for said in messages:
            for each in membership.lines(said, batch) if membership is not None else ():
                client.tell(each)
            if client.outbox.buffered > _DRAINED:
                await client.outbox.drain()
        if batch is not None:
            client.tell(Line("BATCH", (f"-{batch}",), n.SERVER))


COMMANDS: Commands = {"CHATHISTORY": Command(_chathistory, 2)}
