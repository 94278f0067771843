"""The command `pychat post`: its options and help."""

from __future__ import annotations

import click

from pychat.cli import options

__all__ = ["post"]


@click.command()
@options.url
@click.argument("text")
@options.room
@options.name("The author. [default: the name of your login on the server, or your user name on this machine]")
@options.token("A token, to send over HTTP: an API token of the server, for any name, or one of your login.")
@click.option("--lines", is_flag=True, help="With TEXT -: send each line as a message, as soon as it is read.")
@click.option("--id", metavar="ID", help="An id for this message. Messages with the same ID are stored once.")
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
    """Send TEXT to a room, and exit.

    URL is the address of the server, or of the room's page. If TEXT is -, standard input is sent. Nothing is printed
    if the message was stored.

    \b
      pychat post http://localhost:3000 "Tea is ready."
      df -h | pychat post --name server http://localhost:3000 -
      tail -f app.log | pychat post --lines --name app http://localhost:3000 -
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.post import post as say

    if "://" in text and "://" not in url and " " not in text:
        raise click.UsageError("URL comes before TEXT.")
    if lines and text != "-":
        raise click.UsageError("--lines reads standard input: give - as TEXT.")
    if lines and id is not None:
        raise click.UsageError("--id is for one message, but --lines can send many. Leave one of them out.")
    exit_codes.run(
        say(url, text, room=room, name=name or None, token=token, headers=headers, id=id, lines=lines, json=json)
    )
