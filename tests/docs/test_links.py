"""The pages hang together: no link leads nowhere, and every page can be found."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT, Page, page, pages

INTERNAL = [
    (each, is_picture, target)
    for each in pages()
    for is_picture, target in each.links
    if not target.startswith(("https://", "http://"))
]


@pytest.mark.parametrize(("where", "is_picture", "target"), INTERNAL, ids=str)
def test_links_lead_somewhere(where: Page, is_picture: bool, target: str) -> None:
    """The file is there, and so is the heading."""
    path, _, anchor = target.partition("#")
    file = (where.path.parent / path).resolve() if path else where.path
    assert file.is_file(), f"{where} links to {target}"
    assert file.is_relative_to(ROOT)
    if is_picture:
        assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    if anchor:
        assert anchor in page(file.relative_to(ROOT).as_posix()).anchors, f"{where} links to {target}"


def test_every_page_is_on_the_map() -> None:
    """From docs/index.md one can reach each page in one step."""
    index = page("docs/index.md")
    reached = {(index.path.parent / target.partition("#")[0]).resolve() for _, target in index.links}
    assert {each.path for each in pages() if each.name.startswith("docs/")} - {index.path} <= reached


@pytest.mark.parametrize("where", [*pages(), page("CHANGELOG.md")], ids=str)
def test_pages_are_of_one_piece(where: Page) -> None:
    """What a merge could not decide is not left to the reader."""
    assert [] == re.findall(r"^(?:<{7}|={7}|>{7})(?: .*)?$", where.path.read_text(), re.MULTILINE)


@pytest.mark.parametrize("where", pages(), ids=str)
def test_pages_speak_of_this_project_alone(where: Page) -> None:
    """No path of somebody's machine, and no address of a package registry."""
    foreign = r"(?<![\w.])/(work|tmp|root|home|opt|Users)/|file://|registry\.|\bpypi\.org|/simple/"
    assert not re.search(foreign, where.text)


@pytest.mark.parametrize("where", [each for each in pages() if each.name.startswith("docs/")], ids=str)
def test_pages_begin_with_a_title(where: Page) -> None:
    """One heading of the first level, on the first line."""
    assert re.match(r"# .+\n\n", where.text)
    assert len(re.findall(r"^# ", where.prose, re.MULTILINE)) == 1
