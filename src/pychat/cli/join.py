"""The command `pychat join`: its options and help."""

from __future__ import annotations

import click

from pychat.cli import options

__all__ = ["join"]


@click.command()
@options.url
@options.room
@options.name("Your nickname. [default: you are asked for it]")
@options.token("A token for a server with logins. It is sent as “Authorization: Bearer TOKEN”.")
@options.header
def join(url: str, room: str | None, name: str | None, token: str | None, headers: dict[str, str]) -> None:
    """Chat in a room, in this terminal.

    URL is the address of the server, or of the room's page. In the room, /help lists all commands, and /quit leaves.
    This command needs another package. To install it, run this in the checkout of pychat: pip install ".[terminal]"

    \b
      pychat join http://localhost:3000
      pychat join --name Ada https://example.com/chat/rooms/lobby
    """
    try:
        from pychat.terminal.join import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"rich", "textual"}:
            raise
        click.echo('pychat: This needs another package. Run in the checkout: pip install ".[terminal]"', err=True)
        raise SystemExit(1) from None

    run(url, room, name=name, token=token, headers=headers)
