"""Invisible characters, from the lists of Unicode."""

from __future__ import annotations

import re

__all__ = ["blank", "visible"]

# Sources: Unicode 16.0, DerivedCoreProperties.txt (Default_Ignorable_Code_Point) and PropList.txt (White_Space).
_IGNORABLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_WHITE_SPACE = "\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
# Controls (general category Cc), the anchors of interlinear annotations, and characters whose glyph is empty in the
# code charts: the Braille pattern without dots, a filler of Khitan, two blanks of Egyptian, a null notehead.
_EMPTY = "\0-\x1f\x7f-\x9f\u2800\ufff9-\ufffb\U00016fe4\U00013441\U00013442\U0001d159"

_BLANK = _IGNORABLE + _WHITE_SPACE + _EMPTY
_find_blank = re.compile(f"[{_BLANK}]").match
_find_visible = re.compile(f"[^{_BLANK}]").search


def blank(character: str) -> bool:
    """True if `character` is invisible. Some, such as joiners and spaces, change how their neighbours look."""
    return _find_blank(character) is not None


def visible(text: str) -> bool:
    """True if `text` has a visible character."""
    return _find_visible(text) is not None
