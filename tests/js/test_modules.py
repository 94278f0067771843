"""The page's modules that need no browser, under Node's own test runner."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ASSETS = Path(__file__).parents[2] / "src" / "pychat" / "assets"


def test_the_modules_keep_their_promises() -> None:
    """All tests in this folder pass; what failed, and why, is in Node's report."""
    tests = sorted(str(file) for file in Path(__file__).parent.glob("*.test.mjs"))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True, check=False, timeout=50)
    assert 0 == done.returncode, done.stdout


def test_only_the_page_touches_the_document() -> None:
    """Whoever takes client.js into a page of their own gets nothing that looks for ours."""
    page = re.compile(r"\b(document|window|querySelector|HTMLElement)\b")
    comments = re.compile(r"/\*.*?\*/|//.*", re.DOTALL)
    touching = [
        file.name for file in (ASSETS / "js").glob("*.js") if page.search(comments.sub("", file.read_text("utf-8")))
    ]
    assert [] == touching


def test_a_page_without_markup_from_texts() -> None:
    """No module knows a way to make markup of a text: what people write stays text."""
    ways = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function")
    files = [file for file in (ASSETS / "js").rglob("*.js") if ways.search(file.read_text("utf-8"))]
    assert [] == files
