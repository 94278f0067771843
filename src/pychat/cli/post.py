"""`pychat post`, as it is typed."""

from __future__ import annotations

import click

from pychat.cli import options

__all__ = ["post"]


@click.command()
@options.url
@click.argument("text")
@options.room
@options.name("Who says it. [default: the name of your login there, or else your login name here]")
@options.token("One of the server's API tokens, to post under any name; or that of your login. Over HTTP.")
@click.option("--lines", is_flag=True, help="With -: each line is a message, as it comes.")
@click.option("--id", metavar="ID", help="A name for this message: said again with the same ID, it is stored once.")
@click.option("--json", is_flag=True, help="Print the message as it was stored.")
@options.header
def post(
    url: str,
    text: str,
    room: str | None,
    name: str | None,
    token: str | None,
    lines: bool,
    id: str | None,  # noqa: A002 -- click names it as the option
    json: bool,
    headers: dict[str, str],
) -> None:
    """Say TEXT in a room, and go.

    URL is the address of the server, or of the room's page. TEXT may be -, which is what standard input has. Prints
    nothing when all went well.

    \b
      pychat post http://localhost:3000 "Tea is ready."
      df -h | pychat post --name server http://localhost:3000 -
      tail -f app.log | pychat post --lines --name app http://localhost:3000 -
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.post import post as say

    if lines and text != "-":
        raise click.UsageError("--lines is for standard input: give - as TEXT.")
    if lines and id is not None:
        raise click.UsageError("--id is for one message, and --lines may be many. Leave one of them out.")
    exit_codes.run(
        say(url, text, room=room, name=name or None, token=token, headers=headers, id=id, lines=lines, json=json)
    )
