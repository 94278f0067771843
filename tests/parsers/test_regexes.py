"""Every regular expression of ours is read in one way: none looks at the same characters again and again."""

from __future__ import annotations

from pathlib import Path

import pytest

import pychat
from tests.parsers.regexes import Use, ambiguous, steps_of, uses

USES = list(uses(Path(pychat.__file__).parent))

#: Made at runtime, of an operation's path: `[^/]+` between slashes.
MADE = {"re.sub('\\\\{(\\\\w+)\\\\}', '(?P<\\\\1>[^/]+)', self.path)"}
#: On what an operator wrote, or what was exported: no visitor waits for it.
OURS = {"web/api/openapi.py", "web/api/operation.py", "client/address.py", "cli/serve.py"}


def test_they_are_found():
    """The list is not empty by accident: it has those that stand before a login, and knows which of them search."""
    found = {(use.file, use.searches) for use in USES}
    assert {
        ("transports/socketio/handshake_router.py", False),
        ("transports/socketio/handshake_router.py", True),
    } <= found
    assert {("domain/strictjson.py", True), ("room/tokens.py", False), ("domain/blanks.py", True)} <= found
    assert len(USES) > 20


@pytest.mark.parametrize(
    "use", [use for use in USES if use.file not in OURS], ids=lambda use: f"{use.file}-{use.pattern[:30]!a}"
)
def test_unambiguous(use: Use):
    """Twice the text is twice the steps, for runs of whatever the pattern tells apart."""
    assert use.pattern not in MADE
    assert ambiguous(use.pattern, searches=use.searches) is None


@pytest.mark.parametrize(
    ("pattern", "searches"),
    [
        # What once read the fields of a request head: 2,000 spaces took 10 seconds.
        (r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*?)[ \t]*", False),
        (r"(a+)+", False),
        (r"(a|a)*", False),
        (r"a*a*", False),
        (r"(?:[a-z]+ ?)*", False),
        (r" +$", True),
        (r"[a-z]+@", True),
    ],
)
def test_bad_ones_are_found(pattern, searches):
    """Patterns that are known to look again and again are told from the others."""
    assert ambiguous(pattern, searches=searches) is not None


@pytest.mark.parametrize("pattern", [r"[0-9]{1,18}", r"(?:[a-z]+ )*", r"a*b*", r"https?://[^/]+/"])
def test_good_ones_are_not(pattern):
    """One reading is one reading, with repetitions in it and behind each other."""
    assert ambiguous(pattern, searches=False) is None


def test_the_matcher_matches():
    """What counts the steps finds what `re` finds."""
    assert steps_of("a*b", "aaab", searches=False) < steps_of("a*b", "a" * 40, searches=False)
