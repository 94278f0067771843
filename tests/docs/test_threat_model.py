"""The threat model names a test for each threat, and each of them is there."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.docs.pages import ROOT, page

TEXT = page("docs/explanation/threat-model.md").text
ROWS = [row for row in re.findall(r"^\| (.+) \|$", TEXT, re.MULTILINE) if not row.startswith(("attacker tries", "---"))]
IDS = sorted({each for row in ROWS for each in re.findall(r"`(tests/[^`]+)`", row)})


@cache
def functions(path: str) -> frozenset[str]:
    """The names of a file's tests."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS)
def test_each_threat_has_a_test(row: str) -> None:
    """A line has what is tried, what stops it, and one test or more."""
    tried, stopped, tests = row.split(" | ")
    assert tried
    assert stopped
    assert re.fullmatch(r"`tests/[^`]+`(, `tests/[^`]+`)*", tests)


@pytest.mark.parametrize("test", IDS)
def test_the_test_is_there(test: str) -> None:
    """The file exists, and the function in it."""
    path, _, name = test.partition("::")
    assert (ROOT / path).is_file()
    names = functions(path)
    assert any(each.startswith("test_") for each in names)
    assert not name or name in names


def test_no_attack_is_left_out() -> None:
    """The lines were read."""
    assert len(ROWS) > 50
    assert len(IDS) > 60
