"""`pychat tail`, as it is typed."""

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
    help="Begin with so many messages that were said before.",
)
@click.option("--json", is_flag=True, help="One JSON object a line, as on the wire; reactions too.")
@click.option("--presence", is_flag=True, help="Tell who comes, goes, and takes another name.")
@options.token("Sent as “Authorization: Bearer TOKEN”, to a server that asks for one.")
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
    """Print what is said in a room, line by line, until Ctrl-C.

    URL is the address of the server, or of the room's page. Comes back by itself when the server was away, with what
    was said meanwhile.

    \b
      pychat tail http://localhost:3000
      pychat tail --json --history 1000 http://localhost:3000 | jq .text
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.tail import tail as follow

    work = follow(url, room, history=history, json=json, presence=presence, token=token, headers=headers)
    exit_codes.run(work, interrupted=0)
