"""`pychat serve --irc-port`: one room for browsers and IRC clients, in a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

from tests.clients import WebSocketPerson
from tests.irc.person import IrcPerson
from tests.servers import pychat_process


async def test_it_serves_both_and_says_goodbye() -> None:
    """The log names the port; both hear each other; a signal ends it with a reason, and exit status 0."""
    with pychat_process("--irc-port", "0", "--room", "lobby", "--room", "dev") as served:
        port = served.line(event="irc")["port"]
        ada = await IrcPerson.enter(port, "ada", "#dev")
        page = await WebSocketPerson.enter(served.url, room="dev")
        await page.command("join", {"name": "Grace"})
        ada.say("PRIVMSG #dev :hi")
        assert (await page.event("message"))["text"] == "hi"
        await page.command("say", {"text": "hello"})
        assert (await ada.line("PRIVMSG")).params == ("#dev", "hello")
        served.process.send_signal(signal.SIGTERM)
        assert (await ada.ended())[-1].params[0].endswith("(shutdown)")
        assert await asyncio.to_thread(served.process.wait, 5) == 0
        await page.close()


async def test_with_tls(tmp_path: Path) -> None:
    """A certificate and its key encrypt it."""
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subprocess.run(  # noqa: ASYNC221 -- a moment, and nothing else is going on
        [*made, "-keyout", key, "-out", certificate, *subject], check=True, capture_output=True
    )
    with pychat_process("--irc-port", "0", "--irc-tls-cert", str(certificate), "--irc-tls-key", str(key)) as served:
        port = served.line(event="irc")["port"]
        context = ssl.create_default_context(cafile=str(certificate))
        ada = await IrcPerson.connect(port, ssl=context, server_hostname="localhost")
        ada.say("NICK ada", "USER ada 0 * :Ada", "JOIN #lobby")
        await ada.line("366")
        ada.say("QUIT")
        await ada.ended()


def refused(*arguments: str) -> tuple[int, str]:
    """Exit status and words of a start that fails."""
    command = [sys.executable, "-m", "pychat", "serve", "--port", "0", "--store", "memory:", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    return done.returncode, done.stderr


def test_mistakes_say_what_to_do(tmp_path: Path) -> None:
    """A port that is in use, and a certificate that is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        status, told = refused("--irc-port", port)
    assert (status, told) == (
        2,
        f"pychat: Port {port} is in use. Choose another with --irc-port, or let --irc-port 0 pick a free one.\n",
    )
    (tmp_path / "cert.pem").write_text("no certificate")
    for path in (tmp_path / "cert.pem", tmp_path / "nowhere.pem"):
        status, told = refused("--irc-port", "0", "--irc-tls-cert", str(path))
        assert status == 2
        assert told.startswith(f"pychat: --irc-tls-cert {path}: ")
