"""Measure pychat beside its peers, in turn and several times; keep what was found, print it, and draw it."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from benchmarks.cells import CELLS
from benchmarks.found import Found
from benchmarks.load import BUILT, Result
from benchmarks.servers import HERE, SERVERS

KEPT = BUILT / "found.json"
QUICK = ("talk", "senders", "texts", "relay", "slow", "generator")


def machine() -> str:
    """Where this was measured, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    processor = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "?")
    packages = json.loads((HERE / "package-lock.json").read_text())["packages"]
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    versions = [
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("python-socketio", "aiohttp", "uvloop", "uvicorn")),
        f"Node {node.removeprefix('v')}",
        *(f"{name} {packages[f'node_modules/{name}']['version']}" for name in ("socket.io", "uwebsockets", "bun")),
    ]
    return f"{processor}, {os.cpu_count()} cores, {platform.system()} {platform.release()}; {', '.join(versions)}"


def _rounds(cell: str, name: str, rounds: int) -> int:
    most = CELLS[cell].most_rounds
    return min(rounds, most.get(name, most.get("", rounds)))


def _takes(cell: str, servers: Sequence[str], rounds: int) -> float:
    asked = [name for name in CELLS[cell].servers if name in servers]
    return CELLS[cell].takes * sum(_rounds(cell, name, rounds) for name in asked)


def measure(
    cells: Sequence[str], servers: Sequence[str], rounds: int, seconds: float, found: list[Result]
) -> list[str]:
    """Add to `found`; return what failed. The servers take turns: what the machine does besides meets all of them."""
    failed = []
    minutes = sum(_takes(cell, servers, rounds) for cell in cells) / 60
    print(f"This takes about {minutes:.0f} minutes where nothing else runs.", file=sys.stderr)
    begun = time.monotonic()
    for turn in range(rounds):
        for cell, name in ((each, name) for each in cells for name in CELLS[each].servers if name in servers):
            if turn >= _rounds(cell, name, rounds):
                continue
            print(f"{time.monotonic() - begun:5.0f} s, round {turn + 1}: {cell}, {name}", file=sys.stderr)
            try:
                found += [{"cell": cell, "server": name, **each} for each in CELLS[cell].measure(name, seconds)]
            except SystemExit as error:
                failed.append(f"{cell}, {name}: {error}")
    return failed


def others(cells: Sequence[str]) -> list[Result]:
    """What an earlier run found in other cells, so that one can be measured anew alone."""
    if not KEPT.exists():
        return []
    earlier = json.loads(KEPT.read_text())
    return [each for each in earlier["found"] if each["cell"] not in cells] if earlier["machine"] == machine() else []


def main() -> None:
    """Measure, keep, print; the page and its plots are written anew when all was measured."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("cells", nargs="*", help=f"which to measure, of {', '.join(CELLS)}; all if none is named")
    names = [*SERVERS, "redis"]
    parser.add_argument("--servers", nargs="+", default=names, choices=names, metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run")
    parser.add_argument("--quick", action="store_true", help="one round of short runs, the longest left out")
    parser.add_argument("--page", action="store_true", help="measure nothing, and write the page from what was kept")
    given = parser.parse_args()
    if unknown := sorted(set(given.cells) - set(CELLS)):
        parser.error(f"there is no cell {', '.join(unknown)}")
    cells, rounds, seconds = given.cells or list(CELLS), given.rounds, given.seconds
    if given.quick:
        cells, rounds, seconds = given.cells or list(QUICK), 1, 0.7
    failed: list[str] = []
    if given.page:
        kept = json.loads(KEPT.read_text())
    else:
        kept = {"machine": machine(), "rounds": rounds, "found": others(cells)}
        try:
            failed = measure(cells, given.servers, rounds, seconds, kept["found"])
        finally:  # what there is, if it was too long for somebody
            KEPT.write_text(json.dumps(kept))
    from benchmarks import page, tables  # noqa: PLC0415 - drawing needs more than measuring does

    found_all = Found(kept["machine"], kept["rounds"], kept["found"])
    for table in tables.TABLES.values():
        if text := table(found_all):
            print(f"{text}\n")
    if given.page or (not given.quick and not given.cells and given.servers == names):
        page.write(found_all)
    if failed:
        raise SystemExit("\n".join(("These failed:", *failed)))


if __name__ == "__main__":
    main()
