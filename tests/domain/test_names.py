"""Nicknames: RFC 8266, and what would be taken for something else."""

import contextlib
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from precis_i18n import get_profile

from pychat.domain.errors import Refused, UsageError
from pychat.domain.names import Names

NAMES = Names()


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("Ada", "Ada"),
        ("  Ada   Lovelace ", "Ada Lovelace"),
        ("Ａｄａ", "Ada"),
        ("Zoe\u0308", "Zoë"),
        ("山田", "山田"),
        ("שרה", "שרה"),
        ("❤\ufe0f Ada", "❤ Ada"),
        ("🇫🇷", "🇫🇷"),
        ("نیم\u200cفاصله", "نیم\u200cفاصله"),
        ("x" * 32, "x" * 32),
    ],
)
def test_a_name_is_shown_as_rfc_8266_prepares_it(raw: str, shown: str) -> None:
    """White space is trimmed, width and composition are normalised, and scripts are left alone."""
    assert shown == NAMES.accept(raw)


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "   ",
        "\u00a0",
        "A\u200bda",
        "\u202eadA",
        "\u2066Ada\u2069",
        "A\x07",
        "A\nB",
        "\x1b[31mA",
        "\ud800",
        "x" * 33,
        "\u0301",
        "\u2800",
        "Ada\u2800",
        "\u115f",
        "\u3164\u1160",
        "A\uffa0da",
        "Ada\U00016fe4",
        "\U0001d159",
        "\U00013441",
        "\u00ad",
        "A\U000e0041da",
        "\u180e",
    ],
)
def test_a_name_that_would_deceive_or_break_is_refused(raw: str) -> None:
    """Empty, invisible, bidirectional overrides, controls, half surrogates, too long: each is refused with words."""
    with pytest.raises(Refused) as refused:
        NAMES.accept(raw)
    assert refused.value.code == "name_invalid"
    assert refused.value.text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada", "ada"),
        ("Ada", "ADA"),
        ("Ada", "Аdа"),  # Cyrillic А and а
        ("Ian", "lan"),
        ("paypal", "pаypаl"),
        ("Straße", "STRASSE"),
        ("modern", "modem"),  # rn and m
        ("O1ga", "0lga"),
        ("نیم\u200cفاصله", "نیمفاصله"),
        ("ﬁn", "fin"),
    ],
)
def test_look_alikes_collide(one: str, other: str) -> None:
    """Case, confusable letters, ligatures and joiners do not make another name."""
    assert not NAMES.keys(one).isdisjoint(NAMES.keys(other))


@pytest.mark.parametrize(
    ("one", "other"), [("Ada", "Adam"), ("Bill", "Bell"), ("Zoë", "Zoe"), ("山田", "山本"), ("a b", "ab")]
)
def test_different_names_do_not_collide(one: str, other: str) -> None:
    """Names that people can tell apart can both be taken."""
    assert NAMES.keys(one).isdisjoint(NAMES.keys(other))


@pytest.mark.parametrize("raw", ["admin", "Admin", "ADMIN", "аdmin", "ａｄｍｉｎ", "adm1n".replace("1", "ı")])
def test_reserved_names_are_refused_in_every_shape(raw: str) -> None:
    """Nobody can pass for the people who run the room."""
    with pytest.raises(Refused) as refused:
        NAMES.accept(raw)
    assert refused.value.code == "name_reserved"


def test_reserved_names_and_length_can_be_set() -> None:
    """An app says what is reserved, and how long a name may be."""
    names = Names(longest=3, reserved=["bot"])
    assert names.accept("adm") == "adm"
    for raw in ("B0T", "long"):
        with pytest.raises(Refused):
            names.accept(raw)
    with pytest.raises(UsageError):
        Names(longest=0)


@pytest.mark.parametrize(
    "part", ["\u0315\u0300", "\ufdfa", "\u0345\u0315", " \u0301", "\ufe0f", "👍🏽", "\u1100\u1161\u11a8"]
)
def test_what_is_much_too_long_is_not_prepared(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Normalising is quadratic in combining marks: however much is sent, at most a few times the limit is looked at."""
    looked_at: list[int] = []
    real = unicodedata.normalize

    def normalize(form: Any, text: str) -> str:
        looked_at.append(len(text))
        return real(form, text)

    monkeypatch.setattr("pychat.domain.names.unicodedata.normalize", normalize)
    for length in (31, 32, 33, 128, 132, 133, 1000, 1_000_000):
        with contextlib.suppress(Refused):
            NAMES.accept("a" + (part * length)[: length - 1])
        assert max(looked_at, default=0) <= 200
    with pytest.raises(Refused, match="32 characters at most; this one has 1000000"):
        NAMES.accept("x" * 1_000_000)


@given(st.text(max_size=40))
def test_any_text_is_accepted_whole_or_refused(raw: str) -> None:
    """Whatever is sent: a name of at most 32 visible characters that prepares to itself, or a refusal."""
    try:
        shown = NAMES.accept(raw)
    except Refused as refused:
        assert refused.code in {"name_invalid", "name_reserved"}
    else:
        assert 1 <= len(shown) <= 32
        assert shown == NAMES.accept(shown)
        assert NAMES.keys(shown)


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=32))
def test_ascii_is_prepared_as_the_profile_has_it(raw: str) -> None:
    """The short way for printable ASCII gives what RFC 8266 gives, or the refusal of an empty name."""
    try:
        shown = Names(reserved=()).accept(raw)
    except Refused:
        assert not raw.strip()
    else:
        assert shown == get_profile("NicknameCasePreserved").enforce(raw)
