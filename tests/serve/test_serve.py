"""`pychat serve`, as a process, with people in it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.clients import SocketIOPerson, WebSocketPerson
from tests.servers import pychat_process


def get(url: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """GET `url`."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:  # noqa: S310 -- ours
            return response.status, {name.lower(): value for name, value in response.headers.items()}, response.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, {name.lower(): value for name, value in error.headers.items()}, error.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_with_a_goodbye(number: signal.Signals) -> None:
    """Everybody is told, every connection is closed with a code, exit status 0."""
    with pychat_process() as served:
        plain = await WebSocketPerson.enter(served.url)
        people = [
            await SocketIOPerson.enter(served.url, version=version, transports=transports)
            for version in (None, 1)
            for transports in (("websocket",), ("polling",))
        ]
        served.process.send_signal(number)
        for told in [plain.told, *(person.told for person in people)]:
            assert (await told.next("bye"))["reason"] == "shutdown"
        assert await plain.told.next("closed") == 4000
        for person in people:
            await person.event("disconnect")
            await person.close()
        assert await asyncio.to_thread(served.process.wait, 5) == 0
        await plain.close()


async def test_it_ends_in_time_even_if_somebody_is_stuck() -> None:
    """Five seconds are enough, whoever does not read, does not answer, or holds a connection open."""
    with pychat_process() as served:
        host, _, port = served.url.removeprefix("http://").partition(":")
        idle = socket.create_connection((host, int(port)))
        stuck = socket.create_connection((host, int(port)))
        stuck.sendall(
            b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        assert b"101" in await asyncio.to_thread(stuck.recv, 100)
        begun = time.monotonic()
        served.process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(served.process.wait, 10) == 0
        assert time.monotonic() - begun < 5
        idle.close()
        stuck.close()


async def test_the_console_shows_who_says_what_escaped() -> None:
    """Joins, renames, messages and leaves; no newline and no terminal escape gets through."""
    with pychat_process() as served:
        ada = await SocketIOPerson.enter(served.url, version=None)
        await ada.command("setPseudo", "Ada")
        await ada.command("message", "one\n\x1b[31mtwo\u202e")
        await ada.command("setPseudo", "Countess")
        await ada.close()
        assert served.line(event="join")["said"] == "[lobby] Ada joined"
        assert served.line(event="message")["text"] == "one\n\x1b[31mtwo\u202e"
        assert served.line(event="rename")["name"] == "Countess"
        assert served.line(event="leave")["here"] == 0


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such limit")
def test_the_limit_on_open_files_is_raised_and_told_if_low() -> None:
    """Each connection is a file: the soft limit becomes the hard one, and a low one is told at the start."""
    script = """
import os, resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 1000))
os.execv(sys.executable, [sys.executable, "-m", "pychat", *sys.argv[1:]])
"""
    low = (sys.executable, "-c", script)
    with pychat_process(command=low) as served:
        assert served.line(event="few_files")["files"] == 1000
        limits = Path(f"/proc/{served.process.pid}/limits")
        if limits.exists():
            (line,) = [line for line in limits.read_text().splitlines() if line.startswith("Max open files")]
            assert line.split()[3:5] == ["1000", "1000"]


async def test_quiet_stops_the_texts_only() -> None:
    """What people write is theirs."""
    with pychat_process("--quiet") as served:
        ada = await WebSocketPerson.enter(served.url)
        await ada.command("join", {"name": "Ada"})
        await ada.command("say", {"text": "secret"})
        await ada.close()
        served.process.send_signal(signal.SIGINT)
        said = [served.line()["event"] for _ in range(3)]
        assert said == ["join", "leave", "stop"]


def test_text_log_cannot_be_forged() -> None:
    """The console in its form for people: one line for each event."""
    from pychat.cli.console import escape

    assert escape("a\nb\x1b[1m\u202e\\ é☕") == r"a\nb\x1b[1m\u202e\\ é☕"


def test_health_and_readiness() -> None:
    """For whoever watches the process."""
    with pychat_process() as served:
        for path in ("/healthz", "/readyz"):
            assert get(served.url + path)[::2] == (200, b"ok\n")


def test_the_page_is_strict_small_and_cached(tmp_path: Path) -> None:
    """CSP without inline anything, compressed, and assets that never need to be asked for again."""
    with pychat_process("--title", "Tea & <Talk>") as served:
        status, headers, body = get(served.url + "/")
        assert status == 200
        assert "unsafe" not in headers["content-security-policy"]
        assert "default-src 'none'" in headers["content-security-policy"]
        assert b"<title>Tea &amp; &lt;Talk&gt;" in body
        assert get(served.url + "/", **{"If-None-Match": headers["etag"]})[0] == 304
        zipped = get(served.url + "/", **{"Accept-Encoding": "gzip"})
        assert zipped[1]["content-encoding"] == "gzip"
        assert len(zipped[2]) < len(body) / 2
        asset = body.split(b'href="./assets/')[1].split(b'"')[0].decode()
        status, headers, _ = get(f"{served.url}/assets/{asset}")
        assert (status, headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        status, headers, script = get(f"{served.url}/socket.io/socket.io.js")
        assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert b"Socket.IO v4.8" in script[:200]
        assert get(f"{served.url}/assets/js/client.js")[1]["cache-control"] == "public, max-age=0, must-revalidate"
        for missing in ("/nothing", "/assets/../page.py", "/rooms/nothing", "/assets/page.html", "/socket.io/x.js"):
            assert get(served.url + missing)[0] == 404


async def test_each_room_has_its_own_address_and_people() -> None:
    """What is said in one is not heard in another."""
    with pychat_process("--room", "tea", "--room", "coffee") as served:
        assert b'href="./rooms/coffee"' in get(f"{served.url}/")[2]
        assert b'href="../rooms/coffee"' in get(f"{served.url}/rooms/coffee")[2]
        tea, coffee = await WebSocketPerson.enter(served.url), await WebSocketPerson.enter(served.url, room="coffee")
        other = await SocketIOPerson.enter(served.url, room="coffee")
        assert [(await person.event("welcome"))["room"]["name"] for person in (tea, coffee, other)] == [
            "tea",
            "coffee",
            "coffee",
        ]
        await tea.command("join", {"name": "Ada"})
        assert (await coffee.command("join", {"name": "Ada"}))["ok"]
        await tea.command("say", {"text": "in tea"})
        await coffee.command("say", {"text": "in coffee"})
        assert (await other.event("message"))["text"] == "in coffee"
        nowhere = await WebSocketPerson.enter(served.url, room="water")
        assert (await nowhere.event("error"))["code"] == "unknown_room"
        assert await nowhere.told.next("closed") == 4006
        for person in (tea, coffee, other, nowhere):
            await person.close()


def test_the_start_says_how_visitors_make_rooms() -> None:
    """With `--rooms open`, a line after the address says that a visit to /rooms/NAME makes the room."""
    with pychat_process("--rooms", "open") as served:
        assert served.line(event="rooms")["url"].endswith("/")


def test_templates_override_blocks(tmp_path: Path) -> None:
    """A page of one's own may take ours and change a block."""
    (tmp_path / "page.html").write_text('{% extends "pychat/page.html" %}{% block title %}Mine{% endblock %}')
    with pychat_process("--templates", str(tmp_path)) as served:
        body = get(served.url)[2]
        assert b"<title>Mine" in body
        assert b"data-pychat" in body


async def test_settings_come_from_the_environment_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """`PYCHAT_…` for each, and flags win."""
    from click.testing import CliRunner

    from pychat.cli import main as cli
    from pychat.cli import serve as server
    from pychat.cli.settings import Settings

    got: list[Settings] = []
    monkeypatch.setattr(server, "run", got.append)
    environment = {"PYCHAT_PORT": "4000", "PYCHAT_ROOM": "tea coffee", "PYCHAT_QUIET": "1", "PYCHAT_TITLE": "x"}
    done = CliRunner().invoke(cli.main, ["serve", "--title", "y"], env=environment)
    assert done.exit_code == 0, done.output
    assert got == [Settings(port=4000, room=("tea", "coffee"), quiet=True, title="y")]


async def test_messages_and_names_survive_a_restart(tmp_path: Path, node_clients) -> None:
    """Without a word of 2013's client: it is recovered after a restart, gets what it missed, and keeps its name."""
    store = f"sqlite:{tmp_path / 'chat.db'}"
    with pychat_process("--store", store) as served:
        port = int(served.url.rpartition(":")[2])
        ada = await node_clients(served.url, transports=["websocket"])
        await ada.do("emit", "setPseudo", "Ada")
        await ada.told("pseudoStatus")
        bob = await WebSocketPerson.enter(served.url)
        token = (await bob.command("join", {"name": "Bob"}))["token"]
        first = await bob.command("say", {"text": "before", "id": "one"})
        assert (await ada.told("message"))[0]["message"] == "before"
        served.process.kill()
        await bob.told.next("closed")
        await bob.close()
    with pychat_process("--store", store, port=port) as served:
        assert (await ada.told("(connect)"))[1] is True
        bob = await WebSocketPerson.enter(served.url)
        assert [each["text"] for each in (await bob.event("welcome"))["messages"]] == ["before"]
        eve = await WebSocketPerson.enter(served.url)
        assert (await eve.command("join", {"name": "Bob"}))["error"]["code"] == "name_taken"  # it is held
        assert (await bob.command("join", {"token": token}))["member"]["name"] == "Bob"
        assert await bob.command("say", {"text": "before", "id": "one"}) == first
        await ada.do("emit", "message", "still Ada")
        assert (await bob.event("message"))["author"]["name"] == "Ada"
        await bob.close()
        await eve.close()


def test_where_messages_are_kept_is_told(tmp_path: Path) -> None:
    """The start line names the file; one that is not a database is refused in one line."""
    with pychat_process("--store", f"sqlite:{tmp_path / 'chat.db'}") as served:
        assert served.url.startswith("http://127.0.0.1:")
    bad = tmp_path / "bad.db"
    bad.write_bytes(b"this is no database, and never was" * 100)
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "pychat", "serve", "--port", "0", "--store", f"sqlite:{bad}"],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert str(bad) in done.stderr


@pytest.mark.parametrize(("limits", "heard"), [("on", [True, True, False]), ("off", [True] * 3)])
async def test_a_rate_is_a_setting(limits: str, heard: list[bool]) -> None:
    """`--rate messages=0.001/2` lets two messages through on all connections of a person; `--limits off` all of them."""
    with pychat_process("--rate", "messages=0.001/2", "--rate", "typing=1/5", "--limits", limits) as served:
        ada = await WebSocketPerson.enter(served.url)
        token = (await ada.command("join", {"name": "Ada"}))["token"]
        also = await SocketIOPerson.enter(served.url)
        await also.command("join", {"name": "Ada", "token": token})
        assert [(await each.command("say", {"text": "x"}))["ok"] for each in (ada, also, ada)] == heard
        for person in (ada, also):
            await person.close()


async def test_connections_of_an_address_are_a_setting() -> None:
    """`--max-per-address 2`: the third connection is refused, and one that ends makes room."""
    with pychat_process("--max-per-address", "2") as served:
        ada, bob = await WebSocketPerson.enter(served.url), await WebSocketPerson.enter(served.url)
        assert get(f"{served.url}/")[0] == 429
        await ada.close()
        async with asyncio.timeout(10):
            while get(f"{served.url}/")[0] != 200:
                await asyncio.sleep(0.05)
        await bob.close()


async def test_half_a_head_has_its_time() -> None:
    """`--head-timeout 1`: a client that sends half a request is cut off."""
    with pychat_process("--head-timeout", "1") as served:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(served.url.rpartition(":")[2]))
        writer.write(b"GET / HTTP/1.1\r\nHo")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()
