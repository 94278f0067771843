"""`pychat join`, as it is typed."""

from __future__ import annotations

import click

from pychat.cli import options

__all__ = ["join"]


@click.command()
@options.url
@options.room
@options.name("Your nickname. Without it you are asked.")
@options.token("Sent as “Authorization: Bearer TOKEN”, to a server that asks for one.")
@options.header
def join(url: str, room: str | None, name: str | None, token: str | None, headers: dict[str, str]) -> None:
    """Talk in a room, in this terminal.

    URL is the address of the server, or of the room's page. Needs one more package: pip install ".[terminal]",
    in the checkout of pychat. Inside, /help tells what there is, and /quit ends.

    \b
      pychat join http://localhost:3000
      pychat join --name Ada https://example.com/chat/rooms/lobby
    """
    try:
        from pychat.terminal.join import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"rich", "textual"}:
            raise
        click.echo('pychat: This needs one more package. In its checkout: pip install ".[terminal]"', err=True)
        raise SystemExit(1) from None

    run(url, room, name=name, token=token, headers=headers)
