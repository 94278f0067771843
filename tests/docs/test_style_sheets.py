"""The style sheets have one place for colours, sizes of text, weights, corners and spaces: css/tokens.css."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import ROOT

CSS = ROOT / "src" / "pychat" / "assets" / "css"
#: Paper has sizes of its own, and no theme.
SHEETS = sorted(file.name for file in CSS.glob("*.css") if file.name not in ("tokens.css", "print.css"))
DECLARATION = re.compile(r"(?<=[;{])\s*([a-z-]+)\s*:\s*([^;{}]+)(?=[;}])")
LENGTH = re.compile(r"(?<![\w-])(\d*\.?\d+)(px|rem|em|pt)\b")
COLOUR = re.compile(
    r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|hwb|lab|lch|oklab|oklch|color)\(|\b(?:white|black|gr[ae]y|red)\b"
)
#: Pixels that are lines, not sizes.
HAIR = 3


def declarations(sheet: str) -> list[tuple[str, str]]:
    """Properties and values, without comments."""
    text = re.sub(r"/\*.*?\*/", "", (CSS / sheet).read_text("utf-8"), flags=re.DOTALL)
    return [(name, value.strip()) for name, value in DECLARATION.findall(text)]


def is_literal(name: str, value: str) -> bool:
    """Whether a value is one of those that only the tokens have."""
    lengths = [float(number) * (16 if unit != "px" else 1) for number, unit in LENGTH.findall(value)]
    if re.search(r"(?<!mask-)image$", name) is None and COLOUR.search(value) and "mask" not in name:
        return True
    if name in ("font-size", "line-height"):
        return value not in ("inherit", "1", "0") and "var(" not in value
    if name == "font-weight":
        return re.match(r"\d|bold", value) is not None
    if name == "font":
        return bool(lengths) or re.search(r"\b[1-9]00\b", value) is not None
    if "radius" in name:
        return any(length > HAIR for length in lengths) or "%" in value
    if re.match(r"(padding|margin|gap|row-gap|column-gap)", name):
        return any(length > HAIR for length in lengths)
    return False


@pytest.mark.parametrize("sheet", SHEETS)
def test_only_the_tokens_have_values(sheet: str) -> None:
    """No other sheet has colours, sizes, weights, corners or spaces of its own; so all parts look like one page."""
    assert [] == [f"{name}: {value}" for name, value in declarations(sheet) if is_literal(name, value)]


def test_the_tokens_are_those_of_the_design() -> None:
    """Six sizes of text with their lines, seven spaces, four corners."""
    tokens = (CSS / "tokens.css").read_text("utf-8")
    sizes = re.findall(r"--text-(?:badge|meta|small|message|title|empty): ([\d.]+)rem/([\d.]+)rem", tokens)[:6]
    assert [(11, 16), (12, 16), (13, 20), (15, 22), (17, 24), (20, 28)] == [
        (float(size) * 16, float(line) * 16) for size, line in sizes
    ]
    spaces = re.findall(r"--s\d: ([\d.]+)rem", tokens)
    assert [4, 8, 12, 16, 20, 24, 32] == [float(space) * 16 for space in spaces]
    assert ["6", "10", "16", "999"] == re.findall(r"--r-\w+: (\d+)px", tokens)
