"""`pychat serve --tls-cert`: https and wss on one port, for everything."""

from __future__ import annotations

import asyncio
import shutil
import signal
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.attacks.process import descriptors
from tests.certificates import certificate, trusting
from tests.clients import SocketIOPerson, SSEPerson, WebSocketPerson
from tests.irc.person import IrcPerson
from tests.servers import Served, pychat_process


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    return certificate(tmp_path / "tls")


@pytest.fixture
def trusted(files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """Have aiohttp's clients trust that certificate."""
    context, session = trusting(files[0]), aiohttp.ClientSession

    def trusting_session(**options: Any) -> aiohttp.ClientSession:
        return session(connector=aiohttp.TCPConnector(ssl=context), **options)

    monkeypatch.setattr(aiohttp, "ClientSession", trusting_session)
    return context


def with_tls(files: tuple[Path, Path], *arguments: str) -> Any:
    """A server with that certificate."""
    return pychat_process("--tls-cert", str(files[0]), "--tls-key", str(files[1]), *arguments)


def port_of(served: Served) -> int:
    """Its port."""
    return int(served.url.rpartition(":")[2])


def subject(port: int, context: ssl.SSLContext) -> str:
    """The subject of the certificate that a new connection gets."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as connection,
    ):
        found: Any = connection.getpeercert()
        return str(found["subject"][0][0][1])


Enter = Callable[[str], Any]
WIRES: dict[str, Enter] = {
    "websocket": WebSocketPerson.enter,
    "socketio": SocketIOPerson.enter,
    "polling": lambda url: SocketIOPerson.enter(url, transports=("polling",)),
    "upgraded": lambda url: SocketIOPerson.enter(url, transports=("polling", "websocket")),
    "2013": lambda url: SocketIOPerson.enter(url, version=None),
    "sse": SSEPerson.enter,
}


async def test_every_wire_speaks_over_one_encrypted_port(files: tuple[Path, Path], trusted: ssl.SSLContext) -> None:
    """The printed address is https; each wire hears a message of every other, a large one too."""
    with with_tls(files, "--text-length", "100000") as served:
        assert served.url.startswith("https://127.0.0.1:")
        people = {name: await enter(served.url) for name, enter in WIRES.items()}
        for number, (name, person) in enumerate(people.items()):
            if name == "2013":
                await person.command("setPseudo", name)
                continue
            assert (await person.command("join", {"name": name}))["ok"]
            text = f"{number} " + "x" * 90_000
            assert (await person.command("say", {"text": text}))["ok"]
            for other, listener in people.items():
                if other not in ("2013", name):
                    assert (await listener.event("message"))["text"] == text
        for person in people.values():
            await person.close()


async def test_the_page_tells_browsers_to_stay_with_https(files: tuple[Path, Path], trusted: ssl.SSLContext) -> None:
    """Every answer has HSTS for a year, without subdomains; `--hsts` changes it; without TLS there is none."""
    for arguments, told in (((), "max-age=31536000"), (("--hsts", "0"), "max-age=0")):
        with with_tls(files, *arguments) as served:
            async with aiohttp.ClientSession() as http:
                for path in ("/", "/nowhere", "/api/rooms", "/healthz"):
                    async with http.get(served.url + path) as response:
                        assert response.headers["Strict-Transport-Security"] == told
    with pychat_process() as served:
        async with aiohttp.ClientSession() as http, http.get(served.url) as response:
            assert "Strict-Transport-Security" not in response.headers


def test_old_versions_of_tls_are_refused(files: tuple[Path, Path]) -> None:
    """TLS 1.2 and 1.3 are spoken, 1.1 is not."""
    with with_tls(files) as served:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = trusting(files[0])
            context.minimum_version = context.maximum_version = version
            assert subject(port_of(served), context) == "localhost"
        old = trusting(files[0])
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises((ssl.SSLError, ConnectionError)):
            subject(port_of(served), old)


async def test_a_new_certificate_drops_nobody(
    tmp_path: Path, files: tuple[Path, Path], trusted: ssl.SSLContext
) -> None:
    """SIGHUP reads the files again, for the web and for IRC; who is here stays, and the next to come get the new one.

    Files that cannot be used are logged, and the certificate before them stays.
    """
    irc = certificate(tmp_path / "irc")
    new = certificate(tmp_path / "new", "renewed")
    both = trusting(files[0], irc[0], new[0])
    with with_tls(files, "--irc-port", "0", "--irc-tls-cert", str(irc[0]), "--irc-tls-key", str(irc[1])) as served:
        irc_port = served.line(event="irc")["port"]
        ada = await SocketIOPerson.enter(served.url)
        await ada.command("join", {"name": "Ada"})
        on_irc = await IrcPerson.connect(irc_port, ssl=both, server_hostname="localhost")
        on_irc.say("NICK grace", "USER grace 0 * :Grace", "JOIN #lobby")
        await on_irc.line("366")

        for old in (files, irc):
            shutil.copy(new[0], old[0])
            shutil.copy(new[1], old[1])
        served.process.send_signal(signal.SIGHUP)
        for _ in range(2):
            assert served.line(event="certificate")["ok"] is True
        for port in (port_of(served), irc_port):
            assert await asyncio.to_thread(subject, port, both) == "renewed"

        files[1].write_text("no key")
        irc[0].unlink()
        served.process.send_signal(signal.SIGHUP)
        for _ in range(2):
            assert served.line(event="certificate")["ok"] is False
        for port in (port_of(served), irc_port):
            assert await asyncio.to_thread(subject, port, both) == "renewed"

        await ada.command("say", {"text": "still here"})
        assert (await on_irc.line("PRIVMSG")).params[1] == "still here"
        on_irc.say("QUIT")
        await on_irc.ended()
        await ada.close()


@pytest.mark.slow
async def test_handshakes_that_never_end_are_cut(files: tuple[Path, Path], trusted: ssl.SSLContext) -> None:
    """A thousand connections without a whole handshake are gone after ten seconds; meanwhile people connect and talk."""
    with with_tls(files) as served:
        async with asyncio.timeout(60):
            ada = await WebSocketPerson.enter(served.url)
            await ada.command("join", {"name": "Ada"})
            before = descriptors(served.process.pid)
            half = [await asyncio.open_connection("127.0.0.1", port_of(served)) for _ in range(1000)]
            for _, writer in half[::2]:
                writer.write(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
            grace = await WebSocketPerson.enter(served.url)
            for number in range(10):
                assert (await ada.command("say", {"text": str(number)}))["ok"]
                assert (await grace.event("message"))["text"] == str(number)
            for reader, writer in half:
                assert await reader.read() == b""
                writer.close()
            await grace.close()
            while descriptors(served.process.pid) > before:
                await asyncio.sleep(0.05)
        await ada.close()


def test_plain_http_on_the_port_ends_at_once(files: tuple[Path, Path]) -> None:
    """A request without TLS gets no answer of the chat."""
    with with_tls(files) as served, socket.create_connection(("127.0.0.1", port_of(served)), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP" not in plain.recv(1000)
