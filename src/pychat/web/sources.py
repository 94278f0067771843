"""Tells the sources of the page apart from older ones. The build hook uses it too, so it imports nothing of pychat."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["BUNDLED", "fingerprint"]

#: The folders below the assets whose files are bundled.
BUNDLED = ("css", "js")


def fingerprint(assets: Path) -> str:
    """One hash over all files that are bundled, and their names."""
    digest = hashlib.blake2b(digest_size=16)
    for file in sorted(file for name in BUNDLED for file in (assets / name).rglob("*") if file.is_file()):
        digest.update(f"{file.relative_to(assets).as_posix()}\0".encode())
        digest.update(hashlib.blake2b(file.read_bytes()).digest())
    return digest.hexdigest()
