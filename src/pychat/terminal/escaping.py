"""What other people wrote, as a terminal may be given it: nothing in it is obeyed, and nothing hides. Pure."""

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
    r"""`text` with its line feeds; controls are written as in Python's strings (`\x1b`), tabs as four spaces."""
    return text.translate(_IN_TEXTS)


def safe_line(text: str) -> str:
    """`text` in one line."""
    return text.translate(_OBEYED)


def safe_json(text: str) -> str:
    """One line of JSON that means the same as `text`, another one."""
    return text.translate(_IN_JSON)
