"""The command `pychat`, and its subcommands `serve` and `export`.

Heavy imports are inside the commands, so that `--help` is fast.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import click

from pychat._version import __version__
from pychat.cli.join import join
from pychat.cli.moderation import COMMANDS
from pychat.cli.post import post
from pychat.cli.settings import SETTINGS, Setting, Settings
from pychat.cli.tail import tail
from pychat.domain.errors import UsageError

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="pychat", message="%(prog)s %(version)s")
def main() -> None:
    """A chat room with a web page. To start one, run `pychat serve`."""


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for setting in reversed(list(SETTINGS.values())):
        command = _option(setting)(command)
    return command


def _option(setting: Setting) -> Callable[[Callable[..., None]], Callable[..., None]]:
    about: dict[str, Any] = {
        "default": setting.default,
        "envvar": setting.variable,
        "show_envvar": True,
        "help": setting.says,
    }
    if isinstance(setting.default, bool):
        return click.option(setting.flag, is_flag=True, **about)
    kind: Any = str
    if setting.choices is not None:
        kind = click.Choice(setting.choices)
    elif setting.kind is int or isinstance(setting.default, int):
        kind = click.IntRange(setting.min, setting.max)
        kind.name = "whole number"  # click would say “is not a valid integer range”
    if setting.many:
        about["help"] += " Repeatable."
    shown = setting.default not in (None, ())
    return click.option(
        setting.flag, type=kind, multiple=setting.many, metavar=setting.metavar, show_default=shown, **about
    )


@main.command()
@_options
def serve(**values: Any) -> None:  # noqa: ANN401 -- one for each setting
    """Serve a chat room until Ctrl-C.

    Each option can also be set by an environment variable. Several values in one variable are separated by spaces.
    """
    from pychat.cli.serve import run

    try:
        run(Settings(**values))
    except UsageError as error:
        _fail(str(error))


@main.command()
@click.option(
    "--store",
    metavar="URL",
    envvar="PYCHAT_STORE",
    show_envvar=True,
    help="The store. [default: the default of “pychat serve”]",
)
@click.option("--room", metavar="NAME", help="The room, if the store has several.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["jsonl", "text", "html"]),
    help="One JSON object a line, text, or an HTML page. [default: by the ending of FILE, else jsonl]",
)
@click.option("-o", "--output", metavar="FILE", default="-", help="The file to write. [default: - for standard output]")
def export(store: str | None, room: str | None, form: str | None, output: str) -> None:
    """Export all messages of a room.

    The server may be running. Times are in UTC.
    """
    from pychat.cli.export import export as write
    from pychat.cli.export import open_archive
    from pychat.stores import default_store_url

    try:
        with open_archive(store or default_store_url()) as archive:
            write(archive, room, form, output)
    except UsageError as error:
        _fail(str(error))


for command in (join, post, tail, *COMMANDS):
    main.add_command(command)


def _fail(text: str) -> NoReturn:
    click.echo(f"pychat: {text}", err=True)
    raise SystemExit(2)
