"""A real `redis-server` on a free port, for tests; it can be killed, brought back, and made to hang."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["RedisServer", "redis_server"]


class RedisServer:
    """One Redis. With `durable` what it has acknowledged is on disk, and survives being killed."""

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        program = shutil.which("redis-server")
        assert program, "these tests need redis-server; `make test` brings it"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.socket = folder / "redis.sock"
        self._command = [program, "--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(folder)]
        self._command += ["--unixsocket", str(self.socket), "--save", "", "--loglevel", "warning"]
        self._command += ["--appendonly", "yes" if durable else "no", "--appendfsync", "always"]
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start, or start again, and wait until it answers."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        while self.do("PING") != "+PONG":
            assert self._process.poll() is None, "redis-server ended"
            time.sleep(0.01)

    def kill(self) -> None:
        """End it without a warning."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def hang(self) -> None:
        """Let it answer nothing, and close nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def resume(self) -> None:
        """Let it go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def do(self, *command: str) -> str:
        """Its answer to `command`, the first line, in its own words; nothing if it does not answer."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
                parts = [f"${len(part.encode())}\r\n{part}\r\n" for part in command]
                connection.sendall(f"*{len(parts)}\r\n{''.join(parts)}".encode())
                return connection.makefile(encoding="utf-8").readline().rstrip()
        except OSError:
            return ""


@contextlib.contextmanager
def redis_server(*, durable: bool = False) -> Iterator[RedisServer]:
    """Run one; end it, and remove what it kept."""
    with tempfile.TemporaryDirectory(prefix="pychat-redis-") as folder:
        server = RedisServer(Path(folder), durable=durable)
        try:
            yield server
        finally:
            server.resume()
            server.kill()
