"""TLS connections are counted from the moment when they are accepted, on both event loops."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import uvloop

from pychat.domain.errors import UsageError
from pychat.net.addresses import AddressLimiter
from pychat.net.certificate import Certificate
from pychat.net.http.connections import Connections
from pychat.net.http.proxies import Proxies
from pychat.net.tls import TlsListener
from tests.certificates import certificate, trusting

Runs = Callable[..., None]


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Iterator[Runs]:
    """Run a coroutine on one of the event loops."""
    with asyncio.Runner(loop_factory=request.param) as runner:
        yield runner.run


class Echo(asyncio.Protocol):
    """Counts its connection as the protocols of a server do, and says everything again."""

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is secure."""
        self._transport = cast("asyncio.Transport", transport)
        self._address = self._connections.address(self._transport)
        assert self._connections.opened(self._transport, self._address)
        self._connections.head_ends(self._transport)

    def data_received(self, data: bytes) -> None:
        """Say it again."""
        self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """It has gone."""
        self._connections.closed(self._transport, self._address)


class Few:
    """A rate of so many handshakes, and then none."""

    def __init__(self, most: int) -> None:
        self.left = most

    def wait(self, address: str) -> float:
        """A second, if there were too many."""
        assert address == "127.0.0.1"
        return 0.0 if self.left else 1.0

    def count(self, address: str) -> None:
        """One more."""
        self.left -= 1


class Listening:
    """A listener with its files and counts."""

    def __init__(
        self,
        folder: Path,
        *,
        total: int = 100,
        per_address: int = 50,
        seconds: float = 30,
        rate: Few | None = None,
    ) -> None:
        self.file, key = certificate(folder)
        self.held = AddressLimiter(total, per_address)
        self.writers: list[asyncio.StreamWriter] = []
        connections = Connections(self.held, Proxies(), head_seconds=seconds)
        context = Certificate(str(self.file), str(key)).context
        self.rate = rate
        self.listener = TlsListener(context, lambda: Echo(connections), connections, rate)

    @contextlib.asynccontextmanager
    async def open(self):
        """Listen."""
        await self.listener.start("127.0.0.1", 0)
        self.port = self.listener.sockets[0].getsockname()[1]
        try:
            async with asyncio.timeout(30):
                yield self
        finally:
            for writer in self.writers:
                writer.close()
            for writer in self.writers:
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
            self.listener.close()
            await self.listener.wait_closed()

    async def silent(self) -> asyncio.StreamReader:
        """A connection that never begins its handshake."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writers.append(writer)
        return reader

    async def secure(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection with TLS."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, ssl=trusting(self.file))
        self.writers.append(writer)
        return reader, writer

    async def holds(self, number: int) -> None:
        """Wait until it counts so many."""
        while len(self.held) != number:
            await asyncio.sleep(0.01)


def test_a_handshake_counts_like_a_connection(run: Runs, tmp_path: Path) -> None:
    """One address has its places taken by handshakes too; the next is closed, and a finished one counts once."""

    async def it() -> None:
        async with Listening(tmp_path, per_address=3).open() as server:
            reader, writer = await server.secure()
            writer.write(b"hi")
            assert await reader.readexactly(2) == b"hi"
            assert len(server.held) == 1
            for _ in range(2):
                await server.silent()
            await server.holds(3)
            assert await (await server.silent()).read() == b""
            writer.write(b"ho")
            assert await reader.readexactly(2) == b"ho"
            writer.close()
            await server.holds(2)

    run(it())


def test_a_silent_handshake_is_cut(run: Runs, tmp_path: Path) -> None:
    """After the time of a head, and its place is free again; a connection that is through stays."""

    async def it() -> None:
        async with Listening(tmp_path, seconds=1.0).open() as server:
            reader, writer = await server.secure()
            assert await (await server.silent()).read() == b""
            await server.holds(1)
            writer.write(b"hi")
            assert await reader.readexactly(2) == b"hi"
            writer.close()

    run(it())


def test_a_newcomer_takes_the_place_of_a_silent_handshake(run: Runs, tmp_path: Path) -> None:
    """Where all places are taken, the oldest unfinished handshake goes."""

    async def it() -> None:
        async with Listening(tmp_path, total=2).open() as server:
            first = await server.silent()
            await server.silent()
            await server.holds(2)
            reader, writer = await server.secure()
            assert await first.read() == b""
            writer.write(b"hi")
            assert await reader.readexactly(2) == b"hi"
            await server.holds(2)

    run(it())


def test_handshakes_of_an_address_have_a_rate(run: Runs, tmp_path: Path) -> None:
    """Past it, connections are closed before the handshake costs anything; those that are open stay."""

    async def it() -> None:
        async with Listening(tmp_path, rate=Few(2)).open() as server:
            reader, writer = await server.secure()
            await server.silent()
            await server.holds(2)
            assert await (await server.silent()).read() == b""
            assert len(server.held) == 2
            writer.write(b"hi")
            assert await reader.readexactly(2) == b"hi"

    run(it())


def test_what_is_no_handshake_leaves_nothing(run: Runs, tmp_path: Path) -> None:
    """Plain text, and a client that hangs up in the middle."""

    async def it() -> None:
        async with Listening(tmp_path).open() as server:
            reader = await server.silent()
            server.writers[-1].write(b"GET / HTTP/1.1\r\n\r\n")
            await reader.read()
            await server.silent()
            server.writers[-1].close()
            with pytest.raises(ssl.SSLError):
                await asyncio.open_connection("127.0.0.1", server.port, ssl=ssl.create_default_context())
            await server.holds(0)

    run(it())


def test_a_key_with_a_passphrase_asks_nobody(tmp_path: Path) -> None:
    """The error says what to do; OpenSSL does not ask on the terminal of the server."""
    file, key = certificate(tmp_path)
    key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
    with pytest.raises(UsageError, match="needs a passphrase"):
        Certificate(str(file), str(key))


def test_a_certificate_needs_its_own_key(tmp_path: Path) -> None:
    """The key of another one is refused at the start, and on `reload`, which then changes nothing."""
    file, key = certificate(tmp_path / "a")
    other = certificate(tmp_path / "b")[1]
    with pytest.raises(UsageError, match="not a certificate with its private key"):
        Certificate(str(file), str(other))
    held = Certificate(str(file), str(key))
    key.write_bytes(other.read_bytes())
    with pytest.raises(UsageError, match="KEY_VALUES_MISMATCH"):
        held.reload()
