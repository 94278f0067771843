"""Message texts."""

import pytest

from pychat.errors import Refused
from pychat.texts import accept_text, action


@pytest.mark.parametrize(
    ("raw", "kept"),
    [
        ("hi", "hi"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("  code", "  code"),
        ("end \n\n", "end"),
        ("👩‍👩‍👧", "👩‍👩‍👧"),
        ("x" * 10, "x" * 10),
    ],
)
def test_texts_are_kept_as_typed(raw: str, kept: str) -> None:
    """But line ends are made one kind, and nothing trails."""
    assert kept == accept_text(raw, 10)


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("", "text_empty"),
        (" \n\t ", "text_empty"),
        ("x" * 11, "text_too_long"),
        ("a\0", "text_invalid"),
        ("\ud800", "text_invalid"),
    ],
)
def test_what_is_not_a_text_is_refused(raw: str, code: str) -> None:
    """With a code for programs and words for people."""
    with pytest.raises(Refused) as refused:
        accept_text(raw, 10)
    assert code == refused.value.code


@pytest.mark.parametrize(
    ("text", "does"),
    [("/me waves", "waves"), ("/me  waves", "waves"), ("/me", None), ("/meet", None), ("/me waves\nand goes", None)],
)
def test_a_line_may_tell_what_its_author_does(text: str, does: str | None) -> None:
    """`/me`, and what is done, on one line."""
    assert does == action(text)
