"""The rules for nicknames: which are allowed, and which look alike. Whether a name is taken is in `rules`."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

from pychat.domain.blanks import blank
from pychat.domain.errors import Refused, UsageError
from pychat.domain.limits import PRECHECK_FACTOR

__all__ = ["Names"]

_VARIATION_SELECTORS = {0xFE0E: None, 0xFE0F: None}
_LEFT_TO_RIGHT_MARK = "\u200e"
_NOT_COMPARED = {**_VARIATION_SELECTORS, 0x200C: None, 0x200D: None}
_BLANKS_ALLOWED = " \u200c\u200d"  # the joiners only where RFC 5892 allows them


class Names:
    """The rules for nicknames in a room.

    A name is prepared as in RFC 8266 (PRECIS nickname). Two names collide if they are equal after case folding, or if
    they look alike by the confusables of Unicode Technical Standard 39. Both orders of the two steps are tried: `Ian`
    collides with `ian` (case) and with `lan` (shape).
    """

    __slots__ = ("_reserved", "longest")

    def __init__(self, *, longest: int = 32, reserved: Iterable[str] = ("admin",)) -> None:
        """`longest` is in characters. Names in `reserved`, and names that look like them, are refused."""
        if longest < 1:
            msg = f"A nickname needs at least 1 character to be allowed, not {longest}."
            raise UsageError(msg)
        self.longest = longest
        self._reserved = frozenset[str]().union(*(self.keys(name) for name in reserved))

    def accept(self, raw: str, *, reserved: bool = False) -> str:
        """The name in the form to show. Raise `Refused` with `name_invalid` or `name_reserved`.

        With `reserved`, reserved names are allowed: for the program, not for a visitor.
        """
        # Normalising takes quadratic time for runs of combining marks, and preparing is slow, so both are done last.
        length = len(raw)
        if length <= PRECHECK_FACTOR * self.longest + PRECHECK_FACTOR:
            length = len(unicodedata.normalize("NFKC", " ".join(raw.translate(_VARIATION_SELECTORS).split())))
        if length > self.longest:
            raise Refused(
                "name_invalid", f"A nickname can have {self.longest} characters at most; this one has {length}."
            )
        shown = _prepare(raw)
        if not reserved and not self.keys(shown).isdisjoint(self._reserved):
            raise Refused("name_reserved", f"The name “{shown}” is reserved. Please take another.")
        return shown

    @classmethod
    @lru_cache(64)
    def of(cls, longest: int, reserved: tuple[str, ...]) -> Names:
        """The rules for these arguments. Rooms with the same settings share one object."""
        return cls(longest=longest, reserved=reserved)

    @staticmethod
    @lru_cache(4096)
    def keys(name: str) -> frozenset[str]:
        """The keys of a name. Names that share a key look alike, and collide."""
        return frozenset({Names.key_by_case(name), Names.key_by_shape(name)})

    @staticmethod
    def key_by_case(name: str) -> str:
        """The key in which case is folded first. It is the keys of the characters (with their marks), put together."""
        return _skeleton(_plain(name).casefold())

    @staticmethod
    def key_by_shape(name: str) -> str:
        """The key in which lookalikes are replaced first. The same holds."""
        return _skeleton(_plain(name)).casefold()


def _prepare(raw: str) -> str:
    # Most emoji are typed with an invisible variation selector, which PRECIS does not allow.
    candidate = raw.translate(_VARIATION_SELECTORS)
    if not candidate.strip():
        raise Refused("name_invalid", "A nickname needs at least one visible character.")
    if candidate.isascii() and candidate.isprintable():
        # The profile leaves these as they are, but for spaces. Asking it takes 25 µs, at each join.
        return " ".join(candidate.split())
    from precis_i18n import get_profile  # noqa: PLC0415 -- large tables that `pychat --help` does not need

    try:
        shown: str = get_profile("NicknameCasePreserved").enforce(candidate)
    except UnicodeEncodeError as error:
        culprit = candidate[error.start : error.end]
        name = ", ".join(f"U+{ord(character):04X}" for character in culprit[:3]) or "none"
        text = f"A nickname cannot have this character: {name}. Use letters, digits, spaces, punctuation or emoji."
        raise Refused("name_invalid", text) from None
    for character in shown:
        if blank(character) and character not in _BLANKS_ALLOWED:
            raise Refused("name_invalid", f"A nickname cannot have the invisible character U+{ord(character):04X}.")
    if not any(unicodedata.category(character)[0] in "LNPS" for character in shown):
        raise Refused("name_invalid", "A nickname needs at least one visible character.")
    return shown


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_NOT_COMPARED)


def _skeleton(text: str) -> str:
    """The skeleton of UTS 39, section 4: equal for texts that look alike."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).translate(_prototypes()))


@cache
def _prototypes() -> dict[int, str]:
    """The prototype of each confusable character, for `str.translate`.

    The library has the pairs of the standard's table in both directions. A source has one prototype; most prototypes
    have many sources. If a pair has one of each, either can be the prototype, but it must always be the same one.
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
            prototypes[ord(character)] = other
    return prototypes
