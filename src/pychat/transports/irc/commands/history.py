"""The IRC command that reads history: `CHATHISTORY`, as in IRCv3's `draft/chathistory`."""

from __future__ import annotations

from contextlib import nullcontext

from pychat.domain.errors import Refused
from pychat.domain.model import Message
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.history import MAX_MESSAGES, History
from pychat.transports.irc.line import SERVER, Line
from pychat.transports.irc.membership import ChannelMembership

__all__ = ["COMMANDS"]

_NOT_IN = "You are not in a channel of that name."
_MAX_WAITING = 256 * 1024  # bytes in the outbox; with more, wait until the client has read some


async def _chathistory(client: Client, line: Line) -> None:
    what, target = line.params[0].upper(), line.params[1]
    if what == "TARGETS":  # private conversations, of which there are none
        await _send(client, "draft/chathistory-targets", None, [])
        return
    membership = client.membership_in(target)
    try:
        if membership is None:
            raise Refused("invalid_target", _NOT_IN)
        await membership.session.history(limit=0)  # counts against the room's rate limit
        found = await _find(History(membership.channel), what, line.params[2:])
        if membership.out:  # the room has put the client out meanwhile
            raise Refused("invalid_target", _NOT_IN)
        await _send(client, "chathistory", membership, found)
    except Refused as refused:
        code = {"bad_request": "invalid_params", "not_found": "invalid_msgreftype"}.get(refused.code, refused.code)
        refusal = Refused(code, refused.text, refused.retry_after)
        client.refuse("CHATHISTORY", refusal, None, what, target)


async def _find(history: History, what: str, params: tuple[str, ...]) -> list[Message]:
    if len(params) != (3 if what == "BETWEEN" else 2) or not (params[-1].isascii() and params[-1].isdigit()):
        raise Refused("bad_request", "CHATHISTORY takes a subcommand, a channel, positions and a number of messages.")
    limit = min(int(params[-1][:9]), MAX_MESSAGES)
    match what:
        case "LATEST":
            return await history.latest(0 if params[0] == "*" else await history.seq(params[0]), limit)
        case "BEFORE":
            seq = await history.seq(params[0])
            return await history.before(seq if params[0].startswith("msgid=") else seq + 1, limit)
        case "AFTER":
            return await history.after(await history.seq(params[0]), limit)
        case "AROUND":
            seq = await history.seq(params[0])
            earlier = await history.before(seq, limit // 2)
            return [*earlier, *await history.after(seq - 1, limit - len(earlier))]
        case "BETWEEN":
            one, other = [await history.seq(each) for each in params[:2]]
            if one <= other:
                return await history.after(one, limit, before=other)
            return [said for said in await history.before(one, limit) if said.seq > other]
    raise Refused("bad_request", "CHATHISTORY takes LATEST, BEFORE, AFTER, AROUND or BETWEEN.")


async def _send(client: Client, kind: str, membership: ChannelMembership | None, messages: list[Message]) -> None:
    batch = client.new_batch() if "batch" in client.caps else None
    if batch is not None:
        where = () if membership is None else (membership.channel.name,)
        client.tell(Line("BATCH", (f"+{batch}", kind, *where), SERVER))
    with nullcontext() if membership is None else membership.holding():
        for said in messages:
            for each in membership.encoder.message(said, batch=batch) if membership and not said.deleted else ():
                client.tell(each)
            if client.outbox.buffered > _MAX_WAITING:
                await client.outbox.drain()
                if membership is not None and membership.out:
                    break
        if batch is not None:
            client.tell(Line("BATCH", (f"-{batch}",), SERVER))
        if membership is not None and messages and not membership.out:
            membership.shown(messages[-1].seq)


COMMANDS: Commands = {"CHATHISTORY": Command(_chathistory, 2)}
