"""The command line: quick to answer, clear when it cannot."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from pychat import __version__
from pychat.cli.main import main
from pychat.cli.settings import SETTINGS, Settings


def pychat(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command as people do, and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "pychat", *arguments], capture_output=True, text=True, timeout=60, check=False
    )


def test_help_and_version_name_what_there_is() -> None:
    """A newcomer sees the one command, and each of its options with its variable."""
    assert f"pychat {__version__}\n" == CliRunner().invoke(main, ["--version"]).output
    assert "serve" in CliRunner().invoke(main, ["--help"]).output
    told = re.sub(r"\s+", " ", CliRunner().invoke(main, ["serve", "--help"]).output)
    told = re.sub(r"(?<=\w)- (?=\w)", "-", told)  # lines end behind hyphens, too
    for setting in SETTINGS.values():
        assert setting.flag in told
        assert setting.variable in told
        assert setting.says in told


def test_help_loads_nothing_heavy() -> None:
    """`pychat --help` answers at once because it loads neither a server nor a template engine."""
    code = (
        "import sys; from pychat.cli.main import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print({'aiohttp', 'socketio', 'engineio', 'jinja2', 'asyncio', 'uvloop'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "set()\n"


def test_importing_pychat_loads_no_framework() -> None:
    """The budget of `import pychat`, and of a room without a socket."""
    code = (
        "import sys, pychat; pychat.ChatRoom('lobby')\n"
        "print({'aiohttp', 'socketio', 'engineio', 'jinja2', 'click', 'redis'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--host", "no-such-host.invalid"], "no such address"),
        (["--host", "192.0.2.1"], "does not have that address"),
        (["--templates", "/no/such/place"], "no template directory “/no/such/place”"),
        (["--store", "mysql://x"], "no store “mysql://x”"),
        (["--room", "two words"], "A room cannot be called 'two words'"),
        (["--room", "a", "--room", "a"], "same name"),
        (["--trusted-proxy", "nonsense"], "--trusted-proxy: 'nonsense'"),
        (["--allow-origin", "example"], "--allow-origin: 'example'"),
        (["--frame-ancestors", "example.com"], "--frame-ancestors: 'example.com'"),
        (
            ["--frame-ancestors", "https://x.example; script-src *"],
            "--frame-ancestors: 'https://x.example; script-src *'",
        ),
        (["--frame-ancestors", "none", "--frame-ancestors", "self"], "--frame-ancestors: ['none', 'self']"),
        (["--tls-key", "key.pem"], "--tls-key needs --tls-cert"),
        (["--hsts", "60"], "--hsts needs --tls-cert"),
        (["--tls-cert", "/no/such.pem"], "--tls-cert /no/such.pem: No such file or directory."),
        (["--tls-cert", __file__], "not a certificate with its private key, in PEM format"),
        (["--allow-host", "http://x"], "--allow-host: 'http://x'"),
        (["--owner-token", "short"], "--owner-token: a token has 16-200 characters"),
        (["--metrics-token", "short"], "--metrics-token: a token has 16"),
        (["--api-token", "short"], "--api-token: a token has 16"),
        (["--irc-tls-cert", "chain.pem"], "need --irc-port"),
        (["--irc-port", "0", "--irc-tls-key", "key.pem"], "--irc-tls-key needs --irc-tls-cert"),
        (["--irc-port", "0", "--irc-tls-cert", "/no/such.pem"], "/no/such.pem: No such file or directory."),
        (["--irc-port", "0", "--irc-tls-cert", __file__], "not a certificate with its private key, in PEM format"),
        (["--rate", "mesages=5/50"], "--rate: 'mesages' is not a rate. The rates are commands, messages,"),
        (["--rate", "messages=5"], "--rate: 'messages=5' is not a rate: write messages=5/50 for 5 a second"),
    ],
)
def test_what_cannot_be_served_is_one_line_and_exit_2(arguments: list[str], told: str) -> None:
    """No traceback; the line says what to do."""
    done = pychat("serve", "--port", "0", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("pychat: ")
    assert done.stdout == ""


def test_options_of_the_wrong_kind_are_named() -> None:
    """Click's own errors, with the option that is meant."""
    done = pychat("serve", "--port", "eighty")
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert "is not a valid whole number" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["join", "http://127.0.0.1:1"], 2, "“pychat join” needs a terminal. In scripts, use “pychat post”"),
        (["post", "hi", "http://127.0.0.1:1"], 2, "URL comes before TEXT."),
        (["post", "http://127.0.0.1:1", "hi"], 1, "The server cannot be reached: no server listens at 127.0.0.1:1.\n"),
        (["tail", "http://127.0.0.1:1"], 1, "The server cannot be reached: no server listens at 127.0.0.1:1.\n"),
    ],
)
def test_common_mistakes_at_a_terminal_are_named(arguments: list[str], status: int, told: str) -> None:
    """No terminal for `join`, TEXT before URL, and a server that does not run: a line says what is wrong."""
    done = pychat(*arguments)
    assert (done.returncode, done.stdout) == (status, "")
    assert told in done.stderr


def test_a_port_in_use_is_said() -> None:
    """With the way out."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = pychat("serve", "--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert re.fullmatch(r"pychat: Port \d+ is in use\. .*--port.*\n", done.stderr)


def test_a_broken_template_is_named_with_its_line(tmp_path: Path) -> None:
    """Before anybody comes."""
    (tmp_path / "page.html").write_text("one\n{% if %}\n")
    done = pychat("serve", "--port", "0", "--templates", str(tmp_path))
    assert done.returncode == 2
    assert "page.html:2" in done.stderr


def test_every_setting_has_a_type_of_its_default() -> None:
    """The table is the only place where a default stands."""
    for name, setting in SETTINGS.items():
        assert setting.default == getattr(Settings(), name)
