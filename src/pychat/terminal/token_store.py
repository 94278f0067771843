"""Keeps resume tokens in a file of the user, so that `post` and `join` are the same member again."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from pathlib import Path

__all__ = ["TokenStore"]

_MAX_TOKENS = 200


class TokenStore:
    """Tokens by mount, room and name. If the file cannot be read or written, nothing is kept."""

    def __init__(self, path: Path | None = None) -> None:
        if path is None:
            from platformdirs import user_state_path  # noqa: PLC0415 -- loaded on demand

            path = user_state_path("pychat", appauthor=False) / "members.json"
        self._path = path

    def find(self, mount: str, room: str, name: str) -> str | None:
        """Return the token for that name."""
        return self._read().get(_key(mount, room, name))

    def keep(self, mount: str, room: str, name: str, token: str) -> None:
        """Store the token. Only the user can read the file; it keeps the 200 newest."""
        known = self._read()
        key = _key(mount, room, name)
        if known.pop(key, None) == token:
            return
        known[key] = token
        kept = dict(list(known.items())[-_MAX_TOKENS:])
        unfinished = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            try:
                with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    json.dump(kept, file, indent=1)
                unfinished.replace(self._path)
            finally:
                unfinished.unlink(missing_ok=True)

    def _read(self) -> dict[str, str]:
        try:
            known = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return {key: token for key, token in known.items() if isinstance(token, str)} if isinstance(known, dict) else {}


def _key(mount: str, room: str, name: str) -> str:
    return f"{mount} {room} {name}"
