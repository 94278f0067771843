"""Measure pychat beside its peers, in turn and several times, and keep what was found for the tables and plots."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from benchmarks.cells import CELLS
from benchmarks.load import BUILT, Result
from benchmarks.servers import HERE, SERVERS

FOUND = BUILT / "found.json"


def machine() -> dict[str, str]:
    """Where this was measured, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "processor": f"{processor}, {os.cpu_count()} cores",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "Node": node,
        **{name: packages[f"node_modules/{name}"]["version"] for name in ("socket.io", "uwebsockets", "bun")},
        **{name: version(name) for name in ("python-socketio", "aiohttp", "uvloop", "uvicorn")},
    }


def measure(cells: Iterable[str], servers: Iterable[str], rounds: int, seconds: float) -> list[Result]:
    """Measure the cells; the servers take turns, so that what the machine does besides meets all of them."""
    found = []
    begun = time.monotonic()
    for turn in range(rounds):
        for cell_name in cells:
            cell = CELLS[cell_name]
            for name in cell.servers:
                if name not in servers or turn >= dict(cell.most_rounds).get(name, rounds):
                    continue
                print(f"\r{time.monotonic() - begun:5.0f} s  round {turn + 1} {cell_name} {name}\033[K", end="", file=sys.stderr)
                for step, result in enumerate(cell.measure(name, seconds)):
                    found.append({"cell": cell_name, "server": name, "round": turn, "step": step, **result})
    print(f"\r{time.monotonic() - begun:5.0f} s\033[K", file=sys.stderr)
    return found


def main() -> None:
    """Measure, keep, print."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("cells", nargs="*", help=f"which to measure, of {', '.join(CELLS)}; all if none is named")
    parser.add_argument("--servers", nargs="*", default=list(SERVERS), choices=list(SERVERS), metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5, help="of each run")
    parser.add_argument("--quick", action="store_true", help="one round of short runs, for a first look")
    given = parser.parse_args()
    if given.quick:
        given.rounds, given.seconds = 1, 0.6
    unknown = set(given.cells) - set(CELLS)
    if unknown:
        parser.error(f"no cell {', '.join(sorted(unknown))}")
    found = measure(given.cells or CELLS, given.servers, given.rounds, given.seconds)
    FOUND.write_text(json.dumps({"machine": machine(), "rounds": given.rounds, "found": found}))


if __name__ == "__main__":
    main()
