"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable

import click

__all__ = ["header", "headers", "name", "room", "token", "url"]

_Command = Callable[..., None]
_Option = Callable[[_Command], _Command]

url: _Option = click.argument("url")
room: _Option = click.option("--room", metavar="NAME", help="The room, if URL does not name it. [default: the first]")


def name(says: str) -> _Option:
    """`--name`."""
    return click.option("--name", metavar="NAME", envvar="PYCHAT_NAME", show_envvar=True, help=says)


def token(says: str) -> _Option:
    """`--token`."""
    return click.option("--token", metavar="TOKEN", envvar="PYCHAT_TOKEN", show_envvar=True, help=says)


def headers(_context: click.Context, _option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """The headers of `--header`, by name."""
    read: dict[str, str] = {}
    for each in given:
        key, colon, value = each.partition(":")
        if not colon or not key.strip() or not each.isprintable():
            raise click.BadParameter(f"{each!r} is not a header: write it as “Cookie: key=value”.")
        read[key.strip()] = value.strip()
    return read


header: _Option = click.option(
    "--header",
    "headers",
    metavar="HEADER",
    multiple=True,
    callback=headers,
    help="A header for a server with logins, for example “Cookie: key=value”. Repeatable.",
)
