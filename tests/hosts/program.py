"""A program of the docs as people run it: its text in a file, its command in a process, on a free port."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.docs.pages import page

__all__ = ["Running", "code_of", "commands_of", "free_port", "running", "written"]

_TIMEOUT = 30.0


class Running:
    """A server process that is up."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process = process
        self._log = log
        self.port = port
        #: Its address, without a slash at the end.
        self.url = f"http://127.0.0.1:{port}"

    @property
    def log(self) -> str:
        """All that it has printed."""
        return self._log.read_text("utf-8")

    def ask_to_stop(self) -> None:
        """Send `SIGTERM`, as whoever runs servers does."""
        self._process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait until it has ended; how."""
        return self._process.wait(_TIMEOUT)


def code_of(name: str, heading: str = "") -> str:
    """The first Python of a page of `docs/how-to`, below `heading` if one is given."""
    found = page(f"docs/how-to/{name}.md")
    lines = found.text.splitlines()
    start = lines.index(f"## {heading}") if heading else 0
    program = next(block for block in found.blocks if block.language == "python" and block.line > start)
    return program.code


def commands_of(name: str) -> list[list[str]]:
    """The command lines of a page, in order, but for what `pip` does."""
    blocks = [block for block in page(f"docs/how-to/{name}.md").blocks if block.language == "sh"]
    lines = [line for block in blocks for line in block.code.splitlines()]
    return [shlex.split(line) for line in lines if not line.startswith("pip ")]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def written(name: str, folder: Path, port: int, code: str = "") -> list[str]:
    """Do what the page says up to the last command; that, which starts the server on `port`.

    `code` takes the place of the page's program.
    """
    *before, last = commands_of(name)
    for words in before:
        program = [sys.executable, "-m", "django"] if words[0] == "django-admin" else [sys.executable]
        subprocess.run([*program, *words[1:]], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    file = folder / ("mysite/asgi.py" if name == "django" else "app.py")
    file.write_text((code or code_of(name)).replace("3000", str(port)), "utf-8")
    return last


@contextlib.contextmanager
def running(folder: Path, command: list[str], port: int | None = None, **environment: str) -> Iterator[Running]:
    """Run `command` in `folder` until it answers; the port 3000 of the docs is a free one. Kill it in the end."""
    port = port or free_port()
    words = [word.replace("3000", str(port)) for word in command]
    if words[0] == "python":
        words[0] = sys.executable
    elif "/" not in words[0]:
        words[0] = str(Path(sys.executable).with_name(words[0]))
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            start_new_session=True,  # a server may have workers, which end with it
        )
        try:
            _wait_for(process, port, log)
            yield Running(process, port, log)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + _TIMEOUT
    while True:
        if process.poll() is not None or time.monotonic() > give_up:
            raise AssertionError(f"{process.args!r} did not start:\n{log.read_text('utf-8')}")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.02)  # it says nothing that all of them say
        else:
            return
