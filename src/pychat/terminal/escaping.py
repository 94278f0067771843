"""Makes texts of other people safe for a terminal: control characters become visible. Pure."""

from __future__ import annotations

__all__ = ["safe", "safe_json", "safe_line"]

#: Controls (C0, DEL, C1), line separators, and what turns the direction of the rest of a line.
_OBEYED = {
    number: chr(number).encode("unicode_escape").decode()
    for number in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x061C,
        0x200E,
        0x200F,
        *range(0x2028, 0x202F),
        *range(0x2066, 0x206A),
        0xFEFF,
    )
}
_IN_JSON = {number: f"\\u{number:04x}" for number in _OBEYED}
_IN_TEXTS = {number: shown for number, shown in _OBEYED.items() if chr(number) not in "\n\t"} | {9: "    "}


def safe(text: str) -> str:
    r"""Escape controls as in Python's strings (`\x1b`); keep line feeds; tabs become four spaces."""
    return text.translate(_IN_TEXTS)


def safe_line(text: str) -> str:
    """Escape all controls, also line feeds."""
    return text.translate(_OBEYED)


def safe_json(text: str) -> str:
    """Escape controls in a line of JSON; its meaning stays the same."""
    return text.translate(_IN_JSON)
