"""The load generator and the bare server, compiled when they are wanted, and how to talk to the generator."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["GENERATOR_CORE", "Load", "Result", "generator", "program"]

HERE = Path(__file__).parent
BUILT = HERE.parents[1] / "build" / "benchmarks"
GENERATOR_CORE = 1

Result = dict[str, Any]

_PARTS = {"load": ("load", "members", "wire"), "bare": ("bare",)}


def program(name: str) -> Path:
    """The program made of `name`.c: compiled unless it is newer than all sources."""
    sources = [HERE / f"{part}.c" for part in _PARTS[name]]
    made = BUILT / name
    if made.exists() and made.stat().st_mtime > max(source.stat().st_mtime for source in HERE.glob("*.[ch]")):
        return made
    if not (compiler := shutil.which(os.environ.get("CC", "cc"))):
        raise SystemExit(
            "The load generator is written in C. Install a C compiler (Debian: apt install gcc libc6-dev)."
        )
    BUILT.mkdir(parents=True, exist_ok=True)
    flags = ["-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *flags, "-o", f"{made}.{os.getpid()}", *map(str, sources), "-l:libz.so.1"], check=True)
    os.replace(f"{made}.{os.getpid()}", made)  # noqa: PTH105 - at once, whoever else compiles
    return made


class Load:
    """A load generator that is running."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, command: str) -> Result:
        """What comes of one command; `SystemExit` if messages were lost or something else went wrong."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line.endswith("}\n"):
            raise SystemExit(f"the load generator ended at: {command}")
        result: Result = json.loads(line)
        return result


@contextlib.contextmanager
def generator(address: str, pid: int, *options: str) -> Iterator[Load]:
    """Start the load generator on its core, against the server at `address` (`HOST:PORT`), which is process `pid`."""
    command = [str(program("load")), address, "--pid", str(pid), *options]
    if os.cpu_count() != 1:
        command = ["taskset", "--cpu-list", str(GENERATOR_CORE), *command]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Load(process)
    finally:
        process.kill()
        process.communicate()
