"""Damage: which errors say that a file is damaged, how they are told, and what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["is_damage", "line", "remedy"]

# What keeps SQLite from using a file that may be sound.
_OPERATIONAL = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


def is_damage(error: BaseException) -> bool:
    """Whether it says that the file is damaged, and not that it cannot be used just now."""
    if isinstance(error, sqlite3.Error):
        # "no such table", "cannot decode": SQLite calls these operational, or Python found out by itself.
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _OPERATIONAL
    return isinstance(error, UnicodeDecodeError)  # the error was to quote what stands in the file


def line(error: BaseException) -> str:
    """What it says, on one line that any terminal can show: it may quote what stands in the file."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(each if each.isprintable() else "?" for each in text)[:200]


def remedy(path: Path) -> str:
    """What to do about a file that is damaged."""
    return (
        "Put a backup in its place, or save what can be saved with the program sqlite3: sqlite3 "
        f"{path} .recover | sqlite3 saved.db; or start afresh with another --store."
    )
