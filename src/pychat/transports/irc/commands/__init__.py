"""The table of all IRC commands, and the function that executes a line."""

from __future__ import annotations

import logging

from pychat.domain.errors import Close, Refused
from pychat.transports.irc import numerics as n
from pychat.transports.irc.client import Client
from pychat.transports.irc.commands import asking, history, moderating, registering, rooms, talking
from pychat.transports.irc.commands.command import Command, Commands
from pychat.transports.irc.line import Line

__all__ = ["COMMANDS", "execute"]

_log = logging.getLogger("pychat.transports")

#: Every command.
COMMANDS: Commands = {
    **registering.COMMANDS,
    **rooms.COMMANDS,
    **moderating.COMMANDS,
    **talking.COMMANDS,
    **history.COMMANDS,
    **asking.COMMANDS,
}


async def execute(client: Client, line: Line) -> None:
    """Execute a line, and answer it. Errors are answered too, and never raised."""
    command = COMMANDS.get(line.command)
    multiline = client.multiline
    if multiline is not None and line.tags.get("batch") == multiline.name:
        command = Command(talking.gather)
    client.begin(line)
    try:
        if not client.registered and line.params and line.params[-1].startswith("HTTP/"):
            client.close(Close.BAD_FRAME)  # a web page that posts to this port must not speak for its reader
        elif command is None:
            client.refuse(
                line.command,
                Refused("unknown_command", "This server has no such command."),
                n.ERR_UNKNOWNCOMMAND,
                *(() if "standard-replies" in client.caps else (line.command,)),
            )
        elif not client.registered and not command.before:
            client.reply(n.ERR_NOTREGISTERED, "Send NICK and USER first.")
        elif len(line.params) < command.min_params:
            client.reply(n.ERR_NEEDMOREPARAMS, line.command, "This command needs more parameters.")
        else:
            await command.execute(client, line)
    except Refused as refused:
        client.refuse(line.command, refused, None)
    except Exception:
        _log.exception("The command “%s” of an IRC client failed", line.command)
        client.refuse(
            line.command, Refused("internal", "The server failed at this, and logged the error. Try again."), None
        )
    finally:
        client.answered()
