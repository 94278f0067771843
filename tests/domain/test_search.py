"""What people type to find messages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pychat.domain.model import Member, Message
from pychat.domain.search import Search

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "words", "author", "after", "before"),
    [
        ("Tea  TIME", ("tea", "time"), "", None, None),
        ("from:Ada tea", ("tea",), "ada", None, None),
        ('tea FROM:"Ada L" time', ("tea", "time"), "ada l", None, None),
        ("after:2026-01-31T13:00+01:00", (), "", NOON, None),
        ("before:2026-01-31T12:00 x", ("x",), "", None, NOON),
        ("after:2026-01-31", (), "", NOON - 43_200, None),
        ("before:lunch", ("before:lunch",), "", None, None),
        ("after:9999-99-99", ("after:9999-99-99",), "", None, None),
        ("refrom:ada https://from:8080", ("refrom:ada", "https://from:8080"), "", None, None),
        ('from:"ada', (), '"ada', None, None),
    ],
)
def test_a_search_is_read(
    text: str, words: tuple[str, ...], author: str, after: float | None, before: float | None
) -> None:
    """Filters are taken out of the text in any case, with quotes around names; what is no filter is a word."""
    search = Search.parse(text)
    assert (words, author, after, before) == (search.words, search.author, search.after, search.before)
    assert search.empty == (text == "")


def test_a_message_must_fit_all_of_it() -> None:
    """All words, the author and both dates; a deleted message fits nothing, and an empty search is known as such."""
    tea = Message("a", Member("ada", "Ada Lovelace"), "Tea at noon", NOON)
    for text in ("tea NOON", "from:love", "tea from:ada after:2026-01-31 before:2026-02-01"):
        assert Search.parse(text).finds(tea)
    for text in ("coffee", "from:ben", "before:2026-01-31", "after:2026-02-01", "tea from:ben"):
        assert not Search.parse(text).finds(tea)
    assert not Search.parse("from:ada").finds(Message("a", tea.author, "", NOON, deleted=True))
    assert Search.parse("  ").empty
