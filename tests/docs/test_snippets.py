"""Every block of code in README and docs does what it says: it runs, or is held to what it speaks of."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.docs import shell
from tests.docs.pages import ROOT, Block, Program, pages
from tests.docs.stage import Stage
from tests.docs.uses import USES

BLOCKS = [block for page in pages() for block in page.blocks if not block.generated]
PROGRAMS = [program for page in pages() for program in page.programs]
# python-socketio has no types, so what is decorated with or derived from its own has none either. Nor has Django.
MYPY = """\
[mypy]
strict = True
disallow_subclassing_any = False
disallow_untyped_decorators = False
disable_error_code = top-level-await
[mypy-socketio.*,django.*]
ignore_missing_imports = True
"""


def of(language: str) -> list[Block]:
    """The blocks of a language that are not used in a way of their own."""
    return [block for block in BLOCKS if block.language == language and not block.skip]


@pytest.mark.parametrize("program", PROGRAMS, ids=str)
async def test_python_runs(program: Program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each program runs as it stands; where it serves or connects, somebody really is at the other end."""
    monkeypatch.chdir(tmp_path)
    async with AsyncExitStack() as stack:
        stage = Stage(program, tmp_path, stack)
        for name, argument in program.uses:
            await USES[name](stage, argument)
        await stage.run()
        assert stage.main is None or program.uses, "it has a main that nothing awaits: say what to do with it"


@pytest.mark.parametrize("block", [each for each in BLOCKS if each.uses and each.language != "python"], ids=str)
async def test_what_is_shown_is_so(block: Block, tmp_path: Path) -> None:
    """Output, conversations, style sheets and scripts of the browser are those of real programs."""
    async with AsyncExitStack() as stack:
        for name, argument in block.uses:
            await USES[name](Stage(Program([block]), tmp_path, stack), argument)


@pytest.mark.parametrize("block", [each for each in of("sh") if not each.uses], ids=str)
def test_commands_exist(block: Block) -> None:
    """Each command line names programs, options, make targets and variables that there are."""
    shell.check(block)


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_is_json(block: Block) -> None:
    """What is shown as JSON can be read as JSON, line by line where there are several values."""
    try:
        json.loads(block.code)
    except json.JSONDecodeError:
        for line in block.code.splitlines():
            json.loads(line)


@pytest.mark.timeout(180)
def test_python_has_its_types(tmp_path: Path) -> None:
    """People who type-check strictly can paste any program of the docs."""
    (tmp_path / "mypy.ini").write_text(MYPY)
    for program in PROGRAMS:
        name = "".join(letter if letter.isalnum() else "_" for letter in str(program))
        (tmp_path / f"{name}.py").write_text(program.code, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", ROOT / ".mypy_cache" / "docs", *sorted(tmp_path.glob("*.py"))],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_no_block_goes_unchecked(block: Block) -> None:
    """A block is of a language that is checked here, or says how it is used, or why it cannot be."""
    if block.skip is not None:
        assert len(block.skip) > 5, "say why"
    elif block.language not in {"python", "sh", "json"}:
        assert block.uses or block.file, f"nothing is done with this block of “{block.language}”"


def test_every_use_is_used() -> None:
    """Each function of `tests/docs/uses/` is named by a block."""
    assert {name for block in BLOCKS for name, _ in block.uses} == set(USES)
