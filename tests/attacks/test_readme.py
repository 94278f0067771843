"""The table of attacks names tests, and each of them is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
NAMED = sorted(
    set(re.findall(r"`(\w+/[\w./]+\.(?:py|mjs)(?:::\w+)?)`", (Path(__file__).parent / "README.md").read_text()))
)


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_is_there(name: str) -> None:
    """The file exists, and has that test."""
    path, _, function = name.partition("::")
    text = (TESTS / path).read_text()
    assert not function or f"def {function}(" in text


def test_the_table_was_read() -> None:
    """It has a line for each attack."""
    assert len(NAMED) > 60
