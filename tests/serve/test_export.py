"""`pychat export`: all that was said, in a form for programs, for people and for printers."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from pychat import Chat
from pychat.cli.export import FORMS
from pychat.cli.main import main
from pychat.domain.model import Deleted, Edited, LogEvent, Member, Message, Quote, Reacted
from pychat.stores import RoomRecord
from pychat.stores.sqlite import SqliteArchive, SqliteStore

ADA, BOB = Member("a", "Ada"), Member("b", "<b>Bob</b>")
DATE = 1_700_000_000.0
DAY = 86_400


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Export as people do."""
    command = [sys.executable, "-m", "pychat", "export", *arguments]
    return subprocess.run(command, capture_output=True, timeout=50, check=False)


@pytest.fixture
async def url(tmp_path: Path) -> str:
    """A store with a room of four messages, each with a life."""
    store = SqliteStore(tmp_path / "chat.db")
    events: list[LogEvent] = [
        Message("1", ADA, "Tea at https://tea.example/?a=1&b=2.\nOr <script>alert(1)</script>?", DATE),
        Message("2", BOB, "coffee", DATE + 60, reply=Quote(1, "Ada", "Tea at")),
        Message("3", ADA, "rather not \x1b[31m\x85", DATE + DAY),
        Message("4", ADA, "ö ☕ مرحبا", DATE + DAY + 0.5),
        Edited("5", BOB, 2, "coffee, please", DATE + 90),
        Deleted("6", ADA, 3, DATE + 91),
        Reacted("7", BOB, 1, "👍", True, DATE),
        Reacted("8", ADA, 1, "👍", True, DATE),
        Reacted("9", ADA, 1, "🎉", True, DATE),
    ]
    for event in events:
        await store.append("lobby", event)
    await store.aclose()
    return f"sqlite:{store.path}"


def test_json_lines_hold_everything(url):
    """One object a line, in order, as messages stand, in UTF-8, whatever the terminal's encoding."""
    done = run("--store", url)
    assert (done.returncode, done.stderr) == (0, b"")
    one, two, three, four = map(json.loads, done.stdout.decode().splitlines())
    assert one == {
        "seq": 1,
        "id": "1",
        "date": "2023-11-14T22:13:20.000Z",
        "author": {"id": "a", "name": "Ada"},
        "text": "Tea at https://tea.example/?a=1&b=2.\nOr <script>alert(1)</script>?",
        "reactions": {"👍": ["b", "a"], "🎉": ["a"]},
    }
    assert (two["text"], two["edited"]) == ("coffee, please", "2023-11-14T22:14:50.000Z")
    assert two["reply"] == {"seq": 1, "author": "Ada", "text": "Tea at"}
    assert (three["text"], three["deleted"]) == ("", True)
    assert four["text"] == "ö ☕ مرحبا"


def test_text_is_read_by_people(url):
    """A date, a name and what was said; what belongs to it is indented."""
    assert run("--store", url, "--format", "text").stdout.decode() == (
        "2023-11-14 22:13:20  Ada: Tea at https://tea.example/?a=1&b=2.\n"
        "    Or <script>alert(1)</script>?\n"
        "    👍 2  🎉 1\n"
        "2023-11-14 22:14:20  <b>Bob</b>, to Ada: “Tea at”\n"
        "    <b>Bob</b>: coffee, please (edited)\n"
        "2023-11-15 22:13:20  Ada: (deleted)\n"
        "2023-11-15 22:13:20  Ada: ö ☕ مرحبا\n"
    )


def test_text_holds_nothing_that_a_terminal_obeys():
    """Control characters are written out, wherever they stand."""
    message = Message("1", Member("a", "A\x1b[2J"), "x\x1b]0;y\x07\r\x9b\u2028z\tw", DATE, 1, Quote(1, "\x1b", "\x00"))
    written = "".join(FORMS["text"]("lobby", [message]))
    assert all(character.isprintable() or character in "\n\t" for character in written)
    assert r"\x1b]0;y\x07\r\x9b\u2028z" in written


class Page(HTMLParser):
    """What is in a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what it says; a `meta` has no end."""
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that it ends what is open."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keep what people see."""
        if self.open and self.open[-1] != "style":
            self.words += data


def test_a_page_needs_nothing_else_and_runs_nothing(url, tmp_path):
    """Well-formed, escaped, one file, no script, nothing fetched; links go where they say, and no referrer is sent."""
    file = tmp_path / "chat.html"
    assert run("--store", url, "-o", str(file)).returncode == 0
    page = Page(file.read_text(encoding="utf-8"))
    assert page.open == []
    assert {"script", "link", "img", "b", "iframe"}.isdisjoint(page.tags)
    assert "src" not in dict(page.attributes)
    assert ("href", "https://tea.example/?a=1&b=2") in page.attributes
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert {"m1", "m2", "m3", "m4"} == {value for name, value in page.attributes if name == "id"}
    for words in (
        "Tuesday, 14 November 2023",
        "Wednesday, 15 November 2023",
        "Or <script>alert(1)</script>?",
        "<b>Bob</b>",
        "Ada: Tea at",
        "coffee, please (edited)",
        "This message was deleted.",
        "👍 2🎉 1",
        "4 messages. Times are UTC.",
    ):
        assert words in page.words


def test_a_rooms_name_is_escaped_in_the_page():
    """Wherever it stands."""
    assert "<i>" not in "".join(FORMS["html"]("<i>{0}", []))


async def test_a_room_is_chosen(url):
    """Where there is one, it is that; where there are several, the line names them."""
    path = url.partition(":")[2]
    store = SqliteStore(path)
    await store.append("kitchen", Message("1", ADA, "tea", DATE))
    told = CliRunner().invoke(main, ["export", "--store", url])  # while a server runs
    assert (told.exit_code, told.stderr) == (
        2,
        "pychat: There are several rooms; choose one with --room: lobby, kitchen.\n",
    )
    told = CliRunner().invoke(main, ["export", "--store", url, "--room", "kitchen"])
    assert [json.loads(line)["text"] for line in told.stdout.splitlines()] == ["tea"]
    await store.aclose()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--store", "sqlite:/no/such/chat.db"], "There is no database"),
        (["--store", "memory:"], "exists only inside the server"),
        (["--store", "mysql:x"], "cannot be exported"),
        (["--store", "sqlite::memory:"], "memory:"),
        (["--room", "attic"], "no room “attic” in this store. Its rooms are: lobby."),
        (["-o", "/no/such/directory/chat.txt"], "cannot be written: No such file or directory."),
        (["-o", "/dev/full"], "cannot be written: No space left on device."),
    ],
)
def test_what_cannot_be_exported_is_one_line_and_exit_2(url, arguments, told):
    """No traceback; the line says why."""
    done = CliRunner().invoke(main, ["export", *([] if "--store" in arguments else ["--store", url]), *arguments])
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_is_no_database_is_said(tmp_path):
    """In one line."""
    path = tmp_path / "chat.db"
    path.write_text("no database, but long enough to be taken for one " * 99)
    done = CliRunner().invoke(main, ["export", "--store", f"sqlite:{path}"])
    assert done.exit_code == 2
    assert "file is not a database" in done.stderr


def test_a_file_appears_when_it_is_complete(url, tmp_path, monkeypatch):
    """Where an export fails, the file of before is still there, and nothing else."""
    file = tmp_path / "out" / "chat.txt"
    file.parent.mkdir()
    file.write_text("before")

    def fail(*_):
        yield "half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pychat.cli.export.command.FORMS", {**FORMS, "text": fail})
    assert CliRunner().invoke(main, ["export", "--store", url, "-o", str(file)]).exit_code == 2
    assert [each.name for each in file.parent.iterdir()] == ["chat.txt"]
    assert file.read_text() == "before"
    monkeypatch.undo()
    assert CliRunner().invoke(main, ["export", "--store", url, "-o", str(file)]).exit_code == 0
    assert file.read_text(encoding="utf-8").startswith("2023-11-14 22:13:20  Ada: Tea")


def test_a_terminal_sees_how_far_it_is(url, tmp_path):
    """A progress bar on standard error, where that is a terminal."""
    ours, theirs = pytest.importorskip("pty").openpty()
    file = tmp_path / "chat.jsonl"
    command = [sys.executable, "-m", "pychat", "export", "--store", url, "-o", str(file)]
    subprocess.run(command, stderr=theirs, check=True, timeout=50)
    os.close(theirs)
    shown = os.read(ours, 10_000).decode()
    os.close(ours)
    assert "Exporting lobby" in shown
    assert "4/4" in shown
    assert len(file.read_text(encoding="utf-8").splitlines()) == 4


async def test_pages_of_the_archive_join_without_a_seam(tmp_path, monkeypatch):
    """However many messages there are, each is exported once, in order."""
    monkeypatch.setattr("pychat.stores.sqlite.archive._PAGE", 7)
    store = SqliteStore(tmp_path / "chat.db")
    for number in range(1, 51):
        await store.append("lobby", Message(f"m{number}", ADA, f"{number}", DATE))
    await store.aclose()
    done = CliRunner().invoke(main, ["export", "--store", f"sqlite:{store.path}"])
    assert [json.loads(line)["text"] for line in done.stdout.splitlines()] == [f"{number}" for number in range(1, 51)]


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="permissions are another matter on Windows")
def test_what_may_only_be_read_is_exported(url):
    """A backup on a read-only disk, for one: nothing has to be written to read it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(shutil.copy(url.partition(":")[2], directory))
        path.chmod(0o444)
        path.parent.chmod(0o555)
        user = os.geteuid()
        if user == 0:  # whom nothing is forbidden
            os.seteuid(65534)
        try:
            with SqliteArchive(path) as archive:
                assert len(list(archive.messages("lobby"))) == 4
        finally:
            os.seteuid(user)
            path.parent.chmod(0o755)


async def test_an_export_has_the_title_of_the_room_and_actions_as_in_it(tmp_path):
    """The title of the record, or that of the moderators; `/me waves` is “Ada waves”."""
    url = f"sqlite:{tmp_path / 'chat.db'}"
    store = SqliteStore(tmp_path / "chat.db")
    assert store.rooms is not None
    await store.rooms.save(RoomRecord("den", "The <den>"))
    for text in ("/me waves", "/me two\nlines", "see (https://a.example/b_(c))."):
        await store.append("den", Message(text[:5] + str(len(text)), ADA, text, DATE))
    await store.aclose()
    page = run("--store", url, "--format", "html").stdout.decode()
    assert "<title>The &lt;den&gt;</title>" in page
    assert '<h1 dir="auto">The &lt;den&gt;</h1>' in page
    assert "<i><bdi>Ada</bdi> waves</i>" in page
    assert ">/me two\nlines</p>" in page
    assert 'href="https://a.example/b_(c)"' in page
    assert "* Ada waves\n" in run("--store", url, "--format", "text").stdout.decode()
    async with Chat(store=url) as chat:
        await (await chat.open("den")).moderation.set(title="Renamed")
    assert "<title>Renamed</title>" in run("--store", url, "--format", "html").stdout.decode()
