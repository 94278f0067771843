"""The reference misses nothing: what the code has, the docs name, in the place where one would look."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import get_type_hints

import pytest

import pychat
import pychat.testing
from docs.generate import render
from pychat.cli.settings import SETTINGS, Setting
from pychat.domain.access import Access
from pychat.domain.errors import REFUSALS, Close, Refused
from pychat.domain.limits import Limits
from pychat.domain.model import (
    Deleted,
    Edited,
    Joined,
    Left,
    Member,
    Message,
    Position,
    Reacted,
    Renamed,
    Typing,
    Whisper,
)
from pychat.domain.notices import (
    AccessChanged,
    HeldDecided,
    Mute,
    Pinned,
    Presence,
    QueueChanged,
    RoomChanged,
    Welcome,
)
from pychat.domain.rates import RATES
from pychat.domain.roles import Role
from pychat.hosts.mount import MountOptions
from pychat.protocol import v2
from pychat.protocol.v1 import COMMANDS, close_event, encode
from pychat.room.hooks import HOOKS
from pychat.web.api.api import OPERATIONS
from pychat.web.api.operation import Operation
from tests.docs.pages import ROOT, Page, page, pages
from tests.docs.shell import pychat_context

ASSETS = ROOT / "src" / "pychat" / "assets"
REFERENCE = "docs/reference/"
ADA = Member("a", "Ada")
MESSAGE = Message("m", ADA, "hi", 0.0, 1)
WELCOME = Welcome(
    *("lobby", "Lobby", Position("e", 1), True, 1, (ADA,), True, (MESSAGE,), False, 32, 2000),
    role=Role.MODERATOR,
    access=Access.MODERATE,
    muted=Mute(),
    settings=RoomChanged("Lobby"),
    queue=QueueChanged(),
)
EVENTS = [
    encode(MESSAGE),
    encode(Typing(ADA, on=True)),
    encode(Edited("e", ADA, 1, "hi!", 0.0, 2)),
    encode(Reacted("r", ADA, 1, "👍", True, 0.0, 3)),
    encode(Deleted("d", ADA, 1, 0.0, 4)),
    encode(Presence(1, Position("e", 1), joined=(ADA,), left=(ADA,), renamed=(ADA,), members=(ADA,))),
    encode(WELCOME),
    encode(AccessChanged(Access.READ, Role.MEMBER, Mute(0.0, "Caps"))),
    encode(RoomChanged("Lobby", pinned=(Pinned(1, "Ada", "hi"),))),
    encode(QueueChanged(1)),
    encode(HeldDecided("m", "approved")),
    encode(Whisper("w", ADA, ADA, "psst", 0.0)),
    ("error", Refused("rate_limited", "Wait.", 1.0, 2.0).as_dict()),
    close_event(Close.SHUTDOWN),
]


def section(text: str, heading: str) -> str:
    """What stands below a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(heading)}$(.*?)(?=^(?!\1#)#+ |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading “{heading}”"
    return found[2]


@pytest.mark.parametrize("where", pages(), ids=str)
def test_generated_parts_are_current(where) -> None:
    """What `make docs` would write is what is committed."""
    assert render(where.text) == where.text, "run `make docs`"


def test_checking_a_command_of_the_docs_leaves_its_help_alone() -> None:
    """The help of a subcommand has `-h` too, whichever test asked Click for it first."""
    assert pychat_context(["tail", "http://localhost:3000"]).help_option_names == ["-h", "--help"]


@pytest.mark.parametrize("setting", SETTINGS.values(), ids=lambda setting: setting.name)
def test_settings_are_told(setting: Setting) -> None:
    """Each flag and variable is in the table of settings and in the help that is checked in."""
    rows = page(f"{REFERENCE}settings.md").text.splitlines()
    row = next(row for row in rows if row.startswith(f"| `{setting.flag}"))
    assert setting.variable in row
    assert setting.says in row
    assert setting.flag in page(f"{REFERENCE}cli.md").text


def test_metrics_are_told() -> None:
    """Each figure of `/metrics` has its row."""
    metrics = (ROOT / "src" / "pychat" / "cli" / "metrics.py").read_text("utf-8")
    names = re.findall(r'_metric\("(\w+)"', metrics)
    text = section(page(f"{REFERENCE}settings.md").text, "Metrics")
    assert names
    assert re.findall(r"^\| `pychat_(\w+)", text, re.MULTILINE) == names


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_are_told(name: str) -> None:
    """Each hook is in the reference, and used in the recipes."""
    assert f"`{name}`" in page(f"{REFERENCE}hooks.md").text
    assert f'.on("{name}")' in page("docs/how-to/hooks.md").text


@pytest.mark.parametrize("code", REFUSALS)
def test_refusals_are_told(code: str) -> None:
    """Each code of a refusal is in the table of errors, with its HTTP status and whether to come back."""
    kind = REFUSALS[code]
    row = f"| `{code}` | {kind.status} | {'yes' if kind.is_temporary else 'no'} |"
    assert row in section(page(f"{REFERENCE}errors.md").text, "Refusals")


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_and_its_close_code_agree(code: str) -> None:
    """Who is told to come back later is told so by the close code too, and by an HTTP status that means it."""
    kind = REFUSALS[code]
    assert kind.is_temporary == kind.close.reconnect == (kind.status in (429, 500, 503))
    assert kind.resend <= kind.is_temporary


def test_the_page_sends_again_what_the_table_says() -> None:
    """The page's own list of codes where waiting helps is that of the table."""
    found = re.search(r"TEMPORARY = new Set\((\[.*?\])\)", (ASSETS / "js" / "retry.js").read_text("utf-8"))
    assert found
    assert sorted(json.loads(found[1])) == sorted(code for code, kind in REFUSALS.items() if kind.resend)


@pytest.mark.parametrize("why", Close, ids=lambda why: why.reason)
def test_close_codes_are_told(why: Close) -> None:
    """Each close code has its row, and a row that says when it comes."""
    text = page(f"{REFERENCE}errors.md").text
    assert f"| {why.code} | `{why.reason}` | {'yes' if why.reconnect else 'no'} |" in section(text, "Close codes")
    assert f"| `{why.reason}` |" in section(text, "When")


@pytest.mark.parametrize("name", COMMANDS)
def test_commands_are_told(name: str) -> None:
    """Each command of the wire has its section."""
    assert section(section(page(f"{REFERENCE}wire.md").text, "Commands"), f"`{name}`").strip()


@pytest.mark.parametrize(("name", "told"), EVENTS, ids=lambda value: value if isinstance(value, str) else "")
def test_events_are_told(name: str, told: dict[str, object]) -> None:
    """Each event of the wire has its section, which names each of its fields."""
    text = section(section(page(f"{REFERENCE}wire.md").text, "Events"), f"`{name}`")
    for field in told:
        assert f'"{field}"' in text, field


def test_no_event_is_missing_here() -> None:
    """The events above are those that the browser's client listens to."""
    listens: set[str] = set()
    for file, name in (("connection.js", "EVENTS"), ("revision.js", "REVISIONS")):
        found = re.search(rf"const {name} = \[(.*?)\]", (ASSETS / "js" / file).read_text("utf-8"), re.DOTALL)
        assert found, file
        listens |= set(re.findall(r'"(\w+)"', found[1]))
    assert listens == {name for name, _ in EVENTS} | {"entered", "exited", "unread"}


def test_version_2_is_told() -> None:
    """Each command and each event of version 2 alone has its section, which names each of its fields."""
    text = section(page(f"{REFERENCE}wire.md").text, "Version 2: many rooms")
    commands, events = section(text, "Commands of version 2"), section(text, "Events of version 2")
    for name, (required, _, optional) in v2.PERSON_COMMANDS.items():
        for field in (*required, *optional):
            assert f'"{field}"' in section(commands, f"`{name}`"), name
    for name, told in (v2.encode(WELCOME, "a"), v2.exited_event("a", Close.KICKED)):
        for field in told:
            assert f'"{field}"' in section(events, f"`{name}`"), field


@pytest.mark.parametrize("name", ["setPseudo", "pseudoStatus", "message", "nbUsers"])
def test_the_vocabulary_of_2013_is_told(name: str) -> None:
    """So is each event of the tutorial's clients."""
    for where in (f"{REFERENCE}wire.md", "docs/explanation/old-clients.md"):
        assert f"`{name}`" in page(where).text


@pytest.mark.parametrize("name", pychat.__all__)
def test_public_names_are_told(name: str) -> None:
    """Each name that a program may import has its place in the API reference."""
    assert f"### `pychat.{name}`\n" in page(f"{REFERENCE}api.md").text


@pytest.mark.parametrize("name", pychat.testing.__all__)
def test_public_names_for_tests_are_told(name: str) -> None:
    """Each name that a test may import has its place in the reference of `pychat.testing`."""
    assert f"### `pychat.testing.{name}`\n" in page(f"{REFERENCE}testing.md").text


def test_options_and_limits_are_told() -> None:
    """So has each option of a mount, and each limit of a room."""
    text = page(f"{REFERENCE}api.md").text
    for name in (*get_type_hints(MountOptions), *(field.name for field in fields(Limits))):
        assert f"- `{name}`: " in text


@pytest.mark.parametrize("kind", [Message, Joined, Renamed, Left, Typing], ids=lambda kind: kind.__name__)
def test_fields_of_events_are_told(kind) -> None:
    """A program that gets an event finds its fields in the reference."""
    text = section(page(f"{REFERENCE}api.md").text, f"`pychat.{kind.__name__}`")
    for field in fields(kind):
        assert f"{field.name}: " in text


def test_blocks_of_the_page_are_told() -> None:
    """Whoever overrides the page finds each of its blocks in the recipe."""
    blocks = set(re.findall(r"{% block (\w+)", (ASSETS / "page.html").read_text("utf-8")))
    told = section(page("docs/how-to/templates.md").text, "The blocks")
    assert blocks == set(re.findall(r"^\| `(\w+)` \|", told, re.MULTILINE))


@pytest.mark.parametrize("address", ["/healthz", "/readyz", "/ws", "/socket.io/", "/rooms/", "/api/", "/assets/"])
def test_addresses_are_told(address: str) -> None:
    """What a server answers at is in the table of addresses."""
    assert f"`{address}" in section(page(f"{REFERENCE}settings.md").text, "Addresses")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operations_are_told(operation: Operation) -> None:
    """Each request of the HTTP API has its row, and each of its parameters a line."""
    text = page(f"{REFERENCE}http.md").text
    assert f"| `{operation.method} {operation.path}` | {operation.says} |" in text
    for parameter in operation.parameters:
        assert f"- `{parameter.name}`" in text


def test_the_changelog_keeps_its_form() -> None:
    """Keep a Changelog: versions newest first with their dates, changes under its six headings."""
    text = page("CHANGELOG.md").text
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", version) for version in versions[1:])
    kinds = re.findall(r"^### (.+)$", text, re.MULTILINE)
    assert set(kinds) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


@pytest.mark.parametrize("where", pages(), ids=str)
def test_nothing_is_told_twice(where: Page) -> None:
    """No two sections of a page have one heading below one parent, no table two rows for one thing; no default is a bare `None`."""
    if where.name != "CHANGELOG.md":
        headings: list[str] = []
        path: list[str] = []
        for level, words in re.findall(r"^(#+) (.+)$", where.prose, re.MULTILINE):
            path[len(level) - 1 :] = [words]
            headings.append(" / ".join(path))
        assert len(headings) == len(set(headings))
    for table in re.findall(r"(?:^\|.*\n)+", where.prose, re.MULTILINE):
        rows = (
            [row.split(" | ")[0] for row in table.splitlines()[2:]]
            if where.name == "docs/reference/settings.md"
            else []
        )
        assert len(rows) == len(set(rows))
    assert not re.search(r"\bto None\b", where.text)


def test_the_names_of_the_chat_are_told() -> None:
    """Whoever adds Socket.IO events finds each name that is taken, and one of them is refused."""
    server = pychat.asgi_app(pychat.ChatRoom("lobby")).mount.socketio.server
    told = page("docs/how-to/socketio-server.md").text
    named = re.findall(r"`([^`]+)`", told[told.index("The names of the chat are taken") :].partition(" A handler")[0])
    assert server.taken == set(named)
    for name in named:
        with pytest.raises(pychat.UsageError, match=re.escape(f"“{name}” is the chat's own")):
            server.on(name, lambda *_: None)
    server.on("say", lambda *_: None, namespace="/game")
    with pytest.raises(pychat.UsageError, match="Take another name"):

        @server.event
        def history(sid: str) -> None:
            """Never called."""


_SAYS_A_LIMIT = re.compile(r"max_\w+|\w+_(?:seconds|timeout|length|per_address)|rate|limits")


@pytest.mark.parametrize(
    "name",
    [
        *RATES,
        *(f"Limits({field.name}=…" for field in fields(Limits) if field.name not in ("rate", "burst", "rates")),
        *(f"{name}=…" for name in get_type_hints(MountOptions) if _SAYS_A_LIMIT.fullmatch(name)),
        *(setting.flag for setting in SETTINGS.values() if _SAYS_A_LIMIT.fullmatch(setting.name)),
    ],
)
def test_every_limit_is_told(name: str) -> None:
    """Each rate, and each setting that is a limit, is on the page of limits; the numbers are those of the code."""
    text = page(f"{REFERENCE}limits.md").text
    assert name in text


def test_rates_are_told_with_their_numbers() -> None:
    """The table has the default of each rate, and for whom it counts."""
    text = page(f"{REFERENCE}limits.md").text
    for name, kind in RATES.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert f" / {kind.burst:,} | {kind.by} | {kind.says} |" in row
