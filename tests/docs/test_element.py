"""What can be set from outside of `<pychat-room>` is what its page in the docs says."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

ASSETS = ROOT / "src" / "pychat" / "assets"
TOLD = (ROOT / "docs" / "how-to" / "part-of-a-page.md").read_text("utf-8")


def rows(heading: str) -> str:
    """The first cells of the table that has this heading."""
    table = TOLD.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    return "\n".join(line.split("|")[1] for line in table.splitlines()[2:])


def test_each_property_is_told() -> None:
    """The custom properties that the style sheets and scripts look for, and no others, are in the table."""
    files = [*(ASSETS / "css").glob("*.css"), ASSETS / "js" / "view" / "appearance.js"]
    looked_for = {name for file in files for name in re.findall(r"[(\"](--pychat-[\w-]+)", file.read_text())}
    assert looked_for == set(re.findall(r"--pychat-[\w-]+", rows("property")))


def test_each_part_is_told() -> None:
    """The parts of the markup, and no others, are in the table."""
    scripts = set((ASSETS / "js" / "element").glob("*.js")) - {ASSETS / "js" / "element" / "unread.js"}
    files = [ASSETS / "page.html", *(ASSETS / "html").rglob("*.html"), *scripts, *(ASSETS / "js" / "view").glob("*.js")]
    there = {name for file in files for name in re.findall(r'(?: part="|"part", "|\bpart: ")(\w+)"', file.read_text())}
    assert there == set(re.findall(r"`(\w+)`", rows("part")))


def test_each_attribute_is_told() -> None:
    """The attributes that the element looks at, and no others, are in the table."""
    element = (ASSETS / "js" / "element" / "element.js").read_text()
    opening, more = re.search(
        r"const ROOM_ATTRIBUTES = \[(.*?)\];\nconst ATTRIBUTES = \[\.\.\.ROOM_ATTRIBUTES, (.*?)\];", element
    ).groups()  # type: ignore[union-attr]  # else it fails as it should
    assert re.findall(r"\w+", f"{opening} {more}") == re.findall(r"`(\w+)`", rows("attribute"))
