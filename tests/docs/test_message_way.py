"""The way of a message, as the page tells it, is the way that a message takes."""

from __future__ import annotations

import re
from pathlib import Path

from docs.message_way import files, message_way

_PAGE = Path(__file__).parents[2] / "docs/explanation/how-a-message-travels.md"
_STOP = re.compile(r"^[0-9]+\. `([a-z0-9_/]+\.py)`, `([\w.<>]+)`: (.+)$", re.MULTILINE)


def test_the_page_has_every_file_on_the_way_of_a_message() -> None:
    """A message over Socket.IO runs through the files that the page lists, in that order, and through no others.

    Each is listed with what its function does, as the function's docstring says it.
    """
    stops = message_way()
    told = _STOP.findall(_PAGE.read_text("utf-8"))
    assert told == [(*stop, says) for stop, says in files(stops)], "Bring the page up to date with: make docs"
    assert stops[0].function.endswith(".data_received")
    assert f"It passes {len(told)} files and " in _PAGE.read_text("utf-8")


def test_a_message_does_not_pass_its_store_before_its_rules_nor_its_fan_out_before_its_store() -> None:
    """What is told has been stored, and what is stored has been decided."""
    order = [stop.file for stop, _ in files(message_way())]
    rules, store, fan_out = (
        order.index(each) for each in ("domain/rules.py", "stores/memory/store.py", "room/fanout.py")
    )
    assert rules < store < fan_out
