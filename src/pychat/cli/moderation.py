"""The commands of moderators, such as `pychat ban`: their options and help, made from the table of actions."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import Any

import click

from pychat.cli import options
from pychat.domain.actions import ACTIONS, FIELDS

__all__ = ["COMMANDS"]

_Command = Callable[..., None]
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


class _Duration(click.ParamType[int]):
    """Seconds, or `90s`, `10m`, `2h`, `7d`, `4w`."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 -- as click has it
        """Return the seconds."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,9})([smhdw]?)", value)
        if found is None:
            self.fail(f"{value!r} is no time: write 90 or 90s, 10m, 2h, 7d or 4w.", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


_DURATION = _Duration()
#: The fields that are arguments: who or what is meant.
_WHO, _ARGUMENTS = "member", ("role", "target", "invite", "item")


def _option(field: str) -> Callable[[_Command], _Command]:
    """The option for a field of actions."""
    about = FIELDS[field]
    says = _SAYS.get(field) or f"{about.says[:1].upper()}{about.says[1:]}."
    name = {"seconds": "for", "slow": "slow"}.get(field, field)
    if field in ("seconds", "delete", "slow"):
        return click.option(f"--{name}", field, type=_DURATION, metavar="TIME", help=f"{says} {_TIMES}")
    if about.kind is bool:
        return click.option(f"--{name}/--no-{name}", field, default=None, help=says)
    if field == "password":
        return click.option(f"--{name}", field, metavar="TEXT", callback=_ask_secretly, help=says)
    kind = click.Choice(about.choices) if about.choices else click.IntRange(0, about.most) if about.kind is int else str
    return click.option(f"--{name}", field, type=kind, metavar=None if about.choices else "TEXT", help=says)


def _ask_secretly(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Ask for the password if it is `-`; what does not come from a terminal is read as one line."""
    if value != "-":
        return value
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, default="", show_default=False))
    return sys.stdin.readline().rstrip("\r\n")


_SAYS = {
    "password": (
        "Who knows it comes in; “” removes it, and - asks for it: other users of this computer see what stands in "
        "a command."
    ),
    "seconds": "How long; without it a kick lasts a minute, and all else has no end.",
    "delete": "Also delete the person's messages of this time.",
    "slow": "How long a person waits between two messages; 0 is no limit.",
}
_TIMES = "For example 90s, 10m, 2h or 7d."


def _make(action: str) -> click.Command:
    """The command for an action."""
    table = ACTIONS[action]

    def run(**given: Any) -> None:  # noqa: ANN401 -- one for each option
        from pychat.terminal import exit_codes
        from pychat.terminal.moderating import moderate

        shared = {name: given.pop(name) for name in ("url", "room", "token", "headers")}
        who, is_id = given.pop("who", None), given.pop("is_id", False)
        fields = {name: value for name, value in given.items() if value is not None}
        if action == "set" and not fields:
            raise click.UsageError("Say what to set, for example --topic TEXT. --help lists all settings.")
        work = moderate(shared.pop("url"), action, fields, who=who, is_id=is_id, **shared)
        exit_codes.run(work)

    command: _Command = run
    for wrap in reversed(_parameters(action)):
        command = wrap(command)
    person = "" if _WHO not in table.required else _PERSON_OR_NETWORK if "network" in table.optional else _PERSON
    return click.command(action, help=f"{table.says}\n\n{_URL}{person}\n\n\b\n  {_EXAMPLES[action]}")(command)


def _parameters(action: str) -> list[Callable[[_Command], _Command]]:
    table, made = ACTIONS[action], [options.url]
    if _WHO in table.required:
        made.append(click.argument("who"))
    for field in _ARGUMENTS:
        if field in table.required:
            choices = FIELDS[field].choices
            kind = click.Choice(choices) if choices else click.INT if FIELDS[field].kind is int else str
            made.append(click.argument(field, type=kind, metavar="NUMBER" if kind is click.INT else field.upper()))
    others = [each for each in (*table.required, *table.optional) if each not in (_WHO, "network")]
    made += [_option(each) for each in others if each not in table.required or each not in _ARGUMENTS]
    if action in ("clear", "sweep"):
        made[-1 - len(table.optional)] = click.option(
            "--last", "seconds", type=_DURATION, metavar="TIME", required=True, help=f"How far back. {_TIMES}"
        )
    if _WHO in table.required:
        made.append(click.option("--id", "is_id", is_flag=True, help="WHO is the id of a member."))
    return [*made, options.room, _token, options.header]


_token = options.token("An API token of the server, or the token of a moderator.")
_URL = "URL is the address of the server, or of the room's page."
_PERSON = " WHO is a nickname: of somebody who is here, or else of somebody who has written lately."
_PERSON_OR_NETWORK = f"{_PERSON} It can also be an address or a network, such as 203.0.113.0/24."
_EXAMPLES = {
    "kick": 'pychat kick http://localhost:3000 Bob --reason "Please calm down."',
    "ban": "pychat ban http://localhost:3000 Bob --for 7d --delete 10m --reason spam",
    "unban": "pychat unban http://localhost:3000 Bob",
    "mute": "pychat mute http://localhost:3000 Bob --for 10m",
    "unmute": "pychat unmute http://localhost:3000 Bob",
    "role": "pychat role http://localhost:3000 Ada moderator",
    "clear": "pychat clear http://localhost:3000 Bob --last 10m",
    "sweep": "pychat sweep http://localhost:3000 --last 10m",
    "pin": "pychat pin http://localhost:3000 42",
    "unpin": "pychat unpin http://localhost:3000 42",
    "set": 'pychat set http://localhost:3000 --slow 10s --topic "Tea only"',
    "invite": "pychat invite http://localhost:3000 --uses 1 --for 7d",
    "revoke": "pychat revoke http://localhost:3000 INVITE",
    "approve": "pychat approve http://localhost:3000 ITEM",
    "reject": "pychat reject http://localhost:3000 ITEM --reason off-topic",
    "resolve": "pychat resolve http://localhost:3000 ITEM",
}


@click.command()
@options.url
@options.room
@click.option("--json", is_flag=True, help="Print one JSON object a line.")
@_token
@options.header
def reports(**given: Any) -> None:  # noqa: ANN401 -- as declared above
    """Print what waits for moderators: reports, held messages, and people who ask to come in.

    URL is the address of the server, or of the room's page. Each line begins with the ITEM for “pychat approve”,
    “pychat reject” or, for a report, “pychat resolve”.

    \b
      pychat reports http://localhost:3000
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.moderating import print_queue

    exit_codes.run(print_queue(given.pop("url"), **given))


@click.command()
@options.url
@options.room
@click.option(
    "--limit", metavar="NUMBER", type=click.IntRange(1, 10_000), default=50, show_default=True, help="How many entries."
)
@click.option("--json", is_flag=True, help="Print one JSON object a line.")
@_token
@options.header
def audit(**given: Any) -> None:  # noqa: ANN401 -- as declared above
    """Print what moderators did: when, who, what, whom, why. The newest entry comes last.

    URL is the address of the server, or of the room's page.

    \b
      pychat audit http://localhost:3000
    """
    from pychat.terminal import exit_codes
    from pychat.terminal.moderating import print_audit

    exit_codes.run(print_audit(given.pop("url"), **given))


#: Every command of moderators.
COMMANDS = (*(_make(action) for action in ACTIONS), reports, audit)
