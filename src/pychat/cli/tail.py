"""The command `pychat tail`: its options and help."""

from __future__ import annotations

import click

from pychat.cli import options

__all__ = ["tail"]


@click.command()
@options.url
@options.room
@click.option(
    "--history",
    metavar="NUMBER",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="How many earlier messages to print first.",
)
@click.option("--json", is_flag=True, help="Print one JSON object a line, as in the protocol, with reactions.")
@click.option("--presence", is_flag=True, help="Also print who joins, leaves or changes the name.")
@options.token("A token for a server with logins. It is sent as “Authorization: Bearer TOKEN”.")
@options.header
def tail(
    url: str,
    room: str | None,
    history: int,
    json: bool,
    presence: bool,
    token: str | None,
    headers: dict[str, str],
) -> None:
    """Print the messages of a room, line by line, until Ctrl-C.

    URL is the address of the server, or of the room's page. After a lost connection the command reconnects, and
    prints the messages that it missed.

    \b
      pychat tail http://localhost:3000
      pychat tail --json --history 1000 http://localhost:3000 | jq .text
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.tail import tail as follow

    work = follow(url, room, history=history, json=json, presence=presence, token=token, headers=headers)
    exit_codes.run(work, interrupted=0)
