"""Writes what was found into the page on performance: its tables, and the plots that it shows."""

from __future__ import annotations

import re

from benchmarks import plots
from benchmarks.found import Found
from benchmarks.servers import HERE
from benchmarks.tables import TABLES

__all__ = ["write"]

DOCS = HERE.parent / "docs"
_PART = re.compile(r"(<!-- measured: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def write(found: Found) -> None:
    """Replace each part between `<!-- measured: NAME -->` and `<!-- end -->`, and draw the plots."""
    page = DOCS / "explanation" / "performance.md"
    text = page.read_text(encoding="utf-8")
    page.write_text(_PART.sub(lambda part: f"{part[1]}{TABLES[part[2]](found)}\n{part[3]}", text), encoding="utf-8")
    plots.draw(found, DOCS / "images")
