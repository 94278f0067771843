"""Writes those parts of the documentation that the code knows best: `make docs`. Tests hold them to be current.

A page says where a part goes: what stands between `<!-- generated: NAME -->` and `<!-- end -->` is replaced.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from enum import EnumMeta
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner

import pychat
from pychat.cli import main as cli
from pychat.cli.settings import SETTINGS, Setting
from pychat.domain.actions import ACTIONS, FIELDS
from pychat.domain.errors import REFUSALS, Close
from pychat.domain.rates import RATES
from pychat.room.hooked import Hooked
from pychat.room.hooks import HOOKS
from pychat.web.api.api import OPERATIONS

DOCS = Path(__file__).parent

_WAY = re.compile(r"(<!-- followed: way -->\n).*?(<!-- end -->)", re.DOTALL)
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)

#: What the API reference holds: a heading, words, and names. Bare names are `pychat`'s own.
API: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("The room", "", ("ChatRoom", "pychat.room.threads.ThreadsafeRoom", "Limits", "Position", "__version__")),
    (
        "Keeping order",
        "`room.moderation`; [how to use it](../how-to/moderation.md).",
        ("pychat.room.moderator.Moderation",),
    ),
    ("Many rooms", "", ("Chat", "RoomSettings", "Access", "pychat.stores.RoomRecord", "pychat.stores.Unread")),
    ("Moderation", "", ("pychat.room.moderator.Moderation", "Role")),
    (
        "Mounting",
        "",
        (
            "aiohttp_app",
            "pychat.hosts.aiohttp.MOUNT",
            "asgi_app",
            "pychat.hosts.asgi.ASGIApp",
            "pychat.hosts.mount.MountOptions",
        ),
    ),
    ("The users of your app", "", ("Request", "User")),
    (
        "What happens in a room",
        "All of these are frozen dataclasses: make a changed one with `dataclasses.replace`.",
        (
            "Member",
            "Message",
            "Quote",
            "Edited",
            "Deleted",
            "Reacted",
            "Joined",
            "Renamed",
            "Away",
            "Left",
            "Kicked",
            "Typing",
            "Whisper",
            "Report",
            "Event",
        ),
    ),
    (
        "The client",
        "[How to write a bot](../how-to/bots.md) uses it.",
        (
            "Client",
            "ChatClient",
            "pychat.client.RoomClient",
            "pychat.client.EnteredRoom",
            "pychat.client.ListedRoom",
            "pychat.domain.notices.UnreadRoom",
            "RoomSnapshot",
            "Disconnected",
            "RoomChanged",
            "AccessChanged",
            "QueueChanged",
            "HeldDecided",
            "AuditEntry",
            "pychat.domain.notices.Mute",
            "pychat.domain.notices.Pinned",
            "pychat.client.State",
            "pychat.client.ClientEvent",
        ),
    ),
    ("What goes wrong", "", ("ChatError", "UsageError", "Refused", "Held", "Close")),
    ("Hooks", "", ("HOOKS",)),
    (
        "Socket.IO",
        "",
        ("SocketIOTransport", "pychat.transports.socketio.Server", "pychat.transports.socketio.Options"),
    ),
    ("IRC", "[How to let IRC clients in](../how-to/irc.md).", ("serve_irc", "IrcServer")),
    (
        "For transports of your own",
        "[How to write a transport](../how-to/write-a-transport.md) uses all of these.",
        (
            "pychat.room.backend.RoomBackend",
            "pychat.room.connection.Connection",
            "pychat.room.connection.Encoder",
            "pychat.room.session.Session",
            "pychat.room.command_queue.CommandQueue",
            "pychat.room.answer.Answer",
            "pychat.domain.notices.Welcome",
            "pychat.domain.notices.Presence",
            "pychat.protocol.v1.encode",
            "pychat.protocol.v1.close_event",
            "pychat.protocol.v1.decode_position",
            "pychat.protocol.v1.decode_command",
            "pychat.transports.commands.execute",
            "pychat.transports.commands.submit_command",
        ),
    ),
)

#: The same, of what is for tests.
TESTING: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "Tests of an application",
        "",
        ("pychat.testing.Chat", "pychat.testing.Actor", "pychat.testing.FaultyStore", "pychat.testing.FakeClock"),
    ),
    (
        "A person, command by command",
        "The in-memory transport, with the commands and events of [the protocol](wire.md), for bots and tests.",
        ("pychat.testing.Person", "pychat.testing.RecordingConnection"),
    ),
    (
        "Contracts",
        "Classes of tests, for stores and transports of your own.",
        ("pychat.testing.StoreContract", "pychat.testing.TransportContract", "pychat.testing.Client"),
    ),
)

#: What is public in code because the layers call each other, and is nobody else's business.
_INNER = {"Answer": {"finish"}, "Session": {"send_welcome", "take_login_name"}}
_VALUES = {
    "__version__": "The version, such as `0.1.0`.",
    "HOOKS": "Every hook by name: see [hooks](hooks.md).",
    "MOUNT": "The key of the mount in an aiohttp application: `app[MOUNT].socketio.server` is its Socket.IO server.",
    "ClientEvent": "The events of a `Client`, and of each room of a `ChatClient`: "
    "`RoomSnapshot | Message | Edited | Deleted | Reacted | Joined | Renamed | Left | Typing | Whisper | RoomChanged | "
    "AccessChanged | QueueChanged | HeldDecided`.",
    "Event": "Any of the above: the argument of the hook `event`.",
}


def render(text: str) -> str:
    """`text` with its generated parts made anew."""
    return _PART.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]().strip()}\n\n{found[3]}", text)


def main() -> None:
    """Bring every page up to date, and name those that change."""
    sys.path.insert(0, str(DOCS.parent))
    for path in sorted(DOCS.glob("**/*.md")):
        before = path.read_text("utf-8")
        after = _WAY.sub(lambda found: f"{found[1]}\n{way()}\n\n{found[2]}", render(before))
        if after != before:
            path.write_text(after, "utf-8", newline="\n")
            click.echo(path.relative_to(DOCS.parent))


# Tables.


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(headings)]
    lines += [["---"] * len(lines[0]), *(list(row) for row in rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _settings() -> str:
    return _table(
        ("flag", "variable", "default", "what it does"),
        (
            (f"`{setting.flag}{_takes(setting)}`", f"`{setting.variable}`", _default(setting), _says(setting))
            for setting in SETTINGS.values()
        ),
    )


def _takes(setting: Setting) -> str:
    if setting.choices:
        return f" {'|'.join(setting.choices)}"
    return f" {setting.metavar}" if setting.metavar else ""


def _default(setting: Setting) -> str:
    match setting.default:
        case None | () | False:
            return ""
        case tuple() as several:
            return " ".join(f"`{each}`" for each in several)
        case value:
            return f"`{value}`"


def _says(setting: Setting) -> str:
    bounds = ""
    if setting.min is not None:
        bounds = f" {setting.min} or more." if setting.max is None else f" From {setting.min} to {setting.max}."
    return f"{setting.says}{bounds}{' Repeatable.' if setting.many else ''}"


def _refusals() -> str:
    rows = ((code, kind, "yes" if kind.is_temporary else "no") for code, kind in REFUSALS.items())
    return _table(
        ("code", "HTTP", "come back?", "what it means"),
        ((f"`{code}`", str(kind.status), back, kind.meaning) for code, kind, back in rows),
    )


def _closes() -> str:
    return _table(
        ("code", "reason", "come back?", "what people are told"),
        ((str(why.code), f"`{why.reason}`", "yes" if why.reconnect else "no", why.text) for why in Close),
    )


def _hooks() -> str:
    return _table(
        ("hook", "signature", "may change or refuse", "when"),
        (
            (f"`{name}`", f"`{hook.signature}`", "yes" if hook.may_change else "no", hook.says)
            for name, hook in HOOKS.items()
        ),
    )


def _operations() -> str:
    shown = [
        _table(
            ("request", "what it does", "answers", "refused with"),
            (
                (
                    f"`{each.method} {each.path}`",
                    each.says,
                    ", ".join(map(str, each.answers)),
                    ", ".join(map(str, each.refusals)),
                )
                for each in OPERATIONS
            ),
        )
    ]
    for each in OPERATIONS:
        if each.parameters:
            lines = [
                f"- `{part.name}`{' (a header)' * (part.where == 'header')}: {part.says}" for part in each.parameters
            ]
            shown.append("\n".join([f"Parameters of `{each.method} {each.path}`:", "", *lines]))
    return "\n\n".join(shown)


def _rates() -> str:
    return _table(
        ("name", "a second / at once", "for each", "what counts"),
        (
            (f"`{name}`", f"{_per_second(kind.per_second)} / {kind.burst:,}", kind.by, kind.says)
            for name, kind in RATES.items()
        ),
    )


def _limits() -> str:
    from docs.limits import LIMITS, resolved  # noqa: PLC0415 -- `main` says where it is

    headings = ("what", "limit", "set by")
    return "\n\n".join(
        f"## {section}\n\n{_table(headings, ((resolved(what), resolved(limit), by) for what, limit, by in rows))}"
        for section, rows in LIMITS.items()
    )


def _per_second(rate: float) -> str:
    return f"{rate * 60:g} a minute" if rate < 1 else f"{rate:,}"


def _actions() -> str:
    """The actions of moderators, and their fields."""
    return "\n\n".join(
        (
            _table(
                ("action", "fields", "optional", "what it does"),
                (
                    (
                        f"`{name}`",
                        _named(each.required) + " or `network`" * ("network" in each.optional),
                        _named(field for field in each.optional if field != "network"),
                        each.says,
                    )
                    for name, each in ACTIONS.items()
                ),
            ),
            _table(
                ("field", "is", ""),
                (
                    (f"`{name}`", _KINDS[each.kind], each.says + _named(each.choices, ": "))
                    for name, each in FIELDS.items()
                ),
            ),
        )
    )


_KINDS = {str: "a text", int: "a whole number", bool: "`true` or `false`"}


def _named(names: Iterable[str], before: str = "") -> str:
    told = ", ".join(f"`{name}`" for name in names)
    return before + told if told else ""


def _statuses() -> str:
    codes: dict[int, list[str]] = {}
    for code, kind in REFUSALS.items():
        codes.setdefault(kind.status, []).append(f"`{code}`")
    codes[422].append("those of an application's hooks")
    return _table(("status", "code"), ((str(status), ", ".join(codes[status])) for status in sorted(codes)))


def _help() -> str:
    """What the command line says of itself, command by command."""
    shown = []
    for arguments in ([], *([name] for name in cli.main.commands)):
        command = " ".join(["pychat", *arguments, "--help"])
        told = CliRunner().invoke(cli.main, [*arguments, "--help"], prog_name="pychat", terminal_width=90)
        shown.append(f"## `{command}`\n\n```text\n{told.output.rstrip()}\n```")
    return "\n\n".join(shown)


def way() -> str:
    """The files that a message passes, in order."""
    from docs.message_way import files, message_way  # noqa: PLC0415 -- `main` says where it is

    stops = message_way()
    found = files(stops)
    functions = {stop for stop in stops if "<" not in stop.function.rpartition(".")[2]}
    lines = [f"{number}. `{stop.file}`, `{stop.function}`: {says}" for number, (stop, says) in enumerate(found, 1)]
    return "\n".join([f"It passes {len(found)} files and {len(functions)} functions:", "", *lines])


# The API.


def _api() -> str:
    return "\n\n".join(_section(*section) for section in API)


def _testing() -> str:
    return "\n\n".join(_section(*section) for section in TESTING)


def _section(heading: str, words: str, names: Iterable[str]) -> str:
    parts = [f"## {heading}"]
    if words:
        parts.append(words)
    for name in names:
        where, _, last = name.rpartition(".")
        parts += _entry(where or "pychat", last)
    return "\n\n".join(parts)


def _entry(where: str, name: str) -> Iterator[str]:
    thing = getattr(pychat if where == "pychat" else importlib.import_module(where), name)
    shown = name if where in ("pychat", "pychat.testing") else f"{where}.{name}"
    if where == "pychat.testing":
        shown = f"pychat.testing.{name}"
    elif where == "pychat":
        shown = f"pychat.{name}"
    yield f"### `{shown}`"
    if name in _VALUES:
        yield _VALUES[name]
    elif isinstance(thing, EnumMeta):
        yield _doc(thing)
        members = ", ".join(f"`{each}`" for each in thing.__members__)
        yield f"Members: {members}. [What they mean](errors.md#close-codes)."
        yield from _members(thing)
    elif inspect.isclass(thing):
        yield from _class(thing)
    else:
        yield _code(f"{'async ' if inspect.iscoroutinefunction(thing) else ''}def {_signed(name, thing)}")
        yield _doc(thing)


def _class(thing: type) -> Iterator[str]:
    is_data = dataclasses.is_dataclass(thing)
    if (is_data or "__init__" in vars(thing)) and not getattr(thing, "_is_protocol", False):
        yield _code(f"class {_signed(thing.__name__, thing)}")
    yield _doc(thing)
    init = vars(thing).get("__init__")
    if not is_data and init is not None and init.__doc__:
        yield _doc(init)
    fields = list(_fields(thing))
    if fields:
        yield "\n".join(f"- `{name}`: {words}" for name, words in fields)
    yield from _members(thing)


def _members(thing: type) -> Iterator[str]:
    inner = _INNER.get(thing.__name__, set())
    tests = []
    shown = {**vars(thing), **(vars(Hooked) if issubclass(thing, Hooked) else {})}  # `on` belongs to each of them
    for name, raw in shown.items():
        if name.startswith("_") or name in inner:
            continue
        if isinstance(raw, property):
            yield f"#### `{thing.__name__}.{name}`\n\n{_doc(raw)}"
        elif name.startswith("test_"):
            tests.append(f"- `{name}`: {_doc(raw)}")
        elif isinstance(raw, classmethod | staticmethod) or inspect.isfunction(raw):
            function = getattr(thing, name)
            kind = "async def" if inspect.iscoroutinefunction(function) else "def"
            drop = not isinstance(raw, classmethod | staticmethod)
            code = _code(f"{kind} {_signed(name, function, drop_self=drop)}")
            yield f"#### `{thing.__name__}.{name}`\n\n{code}\n\n{_doc(raw)}"
    if tests:
        yield "\n".join(tests)


def _fields(thing: type) -> Iterator[tuple[str, str]]:
    """Attributes that have a comment `#:` before them, where the class or its `__init__` makes them."""
    source = inspect.getsource(thing)
    for comment, name in re.findall(r"((?:^ +#: .*\n)+) +(?:self\.)?([a-z]\w*)(?::| =)", source, re.MULTILINE):
        yield name, " ".join(line.strip().removeprefix("#: ") for line in comment.splitlines())


def _doc(thing: object) -> str:
    words = inspect.getdoc(thing)
    assert words, f"{thing} has no docstring"  # noqa: S101 -- what is public is documented
    return re.sub(r"(?m)^((?: {4}.*\n?|\n)+)", _example, words) if re.search(r"(?m)^ {4}", words) else words


def _example(found: re.Match[str]) -> str:
    lines = textwrap.dedent(found[0]).strip("\n")
    return f"\n```python\n{lines}\n```\n\n" if lines else found[0]


def _code(line: str) -> str:
    return f"```python\n{line}\n```"


def _signed(name: str, thing: Callable[..., Any], *, drop_self: bool = False) -> str:
    """A signature in the words of its source; one parameter a line where it is long."""
    signature = inspect.signature(thing)
    told: list[str] = []
    bare_star = False
    for parameter in list(signature.parameters.values())[1 if drop_self else 0 :]:
        if parameter.kind is parameter.VAR_POSITIONAL:
            bare_star = True
        elif parameter.kind is parameter.KEYWORD_ONLY and not bare_star:
            told.append("*")
            bare_star = True
        told.append(_parameter(parameter))
    returns = "" if signature.return_annotation is signature.empty else f" -> {_words(signature.return_annotation)}"
    if inspect.isclass(thing):
        returns = ""
    elif not inspect.iscoroutinefunction(thing) and inspect.iscoroutinefunction(inspect.unwrap(thing)):
        returns = f" -> Answer[{_words(signature.return_annotation)}]"  # a command of `Session`
    line = f"{name}({', '.join(told)}){returns}"
    if len(line) > 100:
        line = "\n    ".join([f"{name}(", *(f"{each}," for each in told)]) + f"\n){returns}"
    return line


def _parameter(parameter: inspect.Parameter) -> str:
    stars = "*" * (parameter.kind is parameter.VAR_POSITIONAL) + "**" * (parameter.kind is parameter.VAR_KEYWORD)
    told = f"{stars}{parameter.name}"
    if parameter.annotation is not parameter.empty:
        told += f": {_words(parameter.annotation)}"
    if parameter.default is not parameter.empty:
        told += f" = {_value(parameter.default)}"
    return told


def _value(default: object) -> str:
    if isinstance(default, Close):
        return str(default)
    return repr(default)


def _words(annotation: object) -> str:
    return annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)


PARTS: dict[str, Callable[[], str]] = {
    "settings": _settings,
    "rates": _rates,
    "limits": _limits,
    "refusals": _refusals,
    "closes": _closes,
    "hooks": _hooks,
    "help": _help,
    "operations": _operations,
    "actions": _actions,
    "statuses": _statuses,
    "api": _api,
    "testing": _testing,
}


if __name__ == "__main__":
    main()
