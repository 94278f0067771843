"""Nicknames: which are allowed, and which would be taken for each other. Whether one is free is the state's to say."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from pychat.domain.blanks import blank
from pychat.domain.errors import Refused, UsageError
from pychat.domain.limits import LOOKED_AT

__all__ = ["Names"]

_VARIATION_SELECTORS = {0xFE0E: None, 0xFE0F: None}
_LEFT_TO_RIGHT_MARK = "\u200e"
_CONTEXTUAL_JOINERS = {0x200C: None, 0x200D: None}
_BLANKS_ALLOWED = " \u200c\u200d"  # the joiners where RFC 5892 lets them stand


class Names:
    """The rules for nicknames in a room.

    A name is prepared as RFC 8266 (PRECIS nickname) says. Two names collide if they are equal after case folding,
    or look alike by the confusables of Unicode Technical Standard 39, in either order of the two steps: `Ian`
    collides with `ian` (case) and with `lan` (shape).
    """

    def __init__(self, *, longest: int = 32, reserved: Iterable[str] = ("admin",)) -> None:
        """`longest` is in characters; nobody can take a name of `reserved`, nor one that looks like it."""
        if longest < 1:
            msg = f"A nickname needs at least 1 character to be allowed, not {longest}."
            raise UsageError(msg)
        self.longest = longest
        self._reserved = frozenset[str]().union(*(self.keys(name) for name in reserved))

    def accept(self, raw: str, *, reserved: bool = False) -> str:
        """The name as it will be shown. Raise `Refused` with `name_invalid` or `name_reserved`.

        With `reserved`, those names may be used too: by the program, not by a visitor.
        """
        # Normalising is quadratic in runs of combining marks, and preparing is slow, so that both are done last.
        length = len(raw)
        if length <= LOOKED_AT * self.longest + LOOKED_AT:
            length = len(unicodedata.normalize("NFKC", " ".join(raw.translate(_VARIATION_SELECTORS).split())))
        if length > self.longest:
            raise Refused(
                "name_invalid", f"A nickname can have {self.longest} characters at most; this one has {length}."
            )
        shown = _prepare(raw)
        if not reserved and not self.keys(shown).isdisjoint(self._reserved):
            raise Refused("name_reserved", f"The name “{shown}” is reserved. Please take another.")
        return shown

    @staticmethod
    @lru_cache(4096)
    def keys(name: str) -> frozenset[str]:
        """What `name` is compared by: names that share a key cannot be told apart, and collide."""
        plain = unicodedata.normalize("NFKC", name).translate(_CONTEXTUAL_JOINERS)
        return frozenset({_skeleton(plain.casefold()), _skeleton(plain).casefold()})


def _prepare(raw: str) -> str:
    # Emoji are mostly typed with a variation selector, which PRECIS does not allow and nobody would see missing.
    candidate = raw.translate(_VARIATION_SELECTORS)
    if not candidate.strip():
        raise Refused("name_invalid", "A nickname needs at least one visible character.")
    from precis_i18n import get_profile  # noqa: PLC0415 -- tables that `pychat --help` does without

    try:
        shown: str = get_profile("NicknameCasePreserved").enforce(candidate)
    except UnicodeEncodeError as error:
        culprit = candidate[error.start : error.end]
        name = ", ".join(f"U+{ord(character):04X}" for character in culprit[:3]) or "none"
        text = f"A nickname cannot hold this character: {name}. Use letters, digits, spaces, punctuation or emoji."
        raise Refused("name_invalid", text) from None
    for character in shown:
        if blank(character) and character not in _BLANKS_ALLOWED:
            raise Refused("name_invalid", f"A nickname cannot hold U+{ord(character):04X}, which nobody would see.")
    if not any(unicodedata.category(character)[0] in "LNPS" for character in shown):
        raise Refused("name_invalid", "A nickname needs at least one visible character.")
    return shown


def _skeleton(text: str) -> str:
    """The skeleton of UTS 39, section 4: what a reader's eye keeps of a text."""
    prototypes = _prototypes()
    decomposed = unicodedata.normalize("NFD", text)
    return unicodedata.normalize("NFD", "".join(prototypes.get(character, character) for character in decomposed))


@cache
def _prototypes() -> dict[str, str]:
    """Each confusable character's prototype.

    The library holds the pairs of the standard's table in both directions. A source has one prototype; a prototype
    mostly has many sources. Where both have but one, either will do as long as it is always the same.
    """
    from confusable_homoglyphs.confusables import confusables_data  # noqa: PLC0415 -- 0.15 s of tables

    clean = {
        key.replace(_LEFT_TO_RIGHT_MARK, ""): [pair["c"].replace(_LEFT_TO_RIGHT_MARK, "") for pair in pairs]
        for key, pairs in confusables_data.items()
    }
    prototypes = {}
    for character, alike in clean.items():
        if len(character) != 1 or len(alike) != 1:
            continue
        (other,) = alike
        if len(clean.get(other, ())) > 1 or len(other) > 1 or other < character:
            prototypes[character] = other
    return prototypes
