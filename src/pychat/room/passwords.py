"""Passwords of rooms: a room keeps the scrypt hash. Hashing runs in a thread, and few calls wait for it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from functools import partial

from pychat.domain.errors import Refused
from pychat.room.workers import Workers

__all__ = ["LONGEST_PASSWORD", "PasswordHasher"]

LONGEST_PASSWORD = 256  # characters
# One hash takes 16 MB and about 40 ms (OWASP Password Storage Cheat Sheet, 2023: N=2^14 with r=8 and p=5; five times
# fewer rounds here, because a room's password is shared, and each address has few attempts).
_N, _R, _P = 2**14, 8, 1
_MAX_MEMORY = 64 * 1024 * 1024
_KEY_BYTES = 32
_MAX_WAITING = 32


class PasswordHasher:
    """Hashes and compares, one call at a time: 16 MB and one core at most, whatever the number of attempts."""

    def __init__(self) -> None:
        self._workers = Workers(1)

    async def hash(self, password: str) -> str:
        """The text to store for `password`. Raise `Refused` if it is too long, or if too many calls are waiting."""
        if not _is_valid(password):
            raise Refused("bad_request", f"A password has 1-{LONGEST_PASSWORD} characters, and none of them is NUL.")
        salt = secrets.token_bytes(16)
        key = await self._run(password, salt, (_N, _R, _P))
        return f"scrypt${_N}${_R}${_P}${_text(salt)}${_text(key)}"

    async def matches(self, password: str, stored: str) -> bool:
        """True if `stored` is the hash of `password`. Raise `Refused` if too many calls are waiting."""
        parsed = _parse(stored)
        if parsed is None or not _is_valid(password):
            return False
        cost, salt, key = parsed
        try:
            return hmac.compare_digest(await self._run(password, salt, cost), key)
        except ValueError:  # costs that scrypt does not accept
            return False

    async def _run(self, password: str, salt: bytes, cost: tuple[int, int, int]) -> bytes:
        if self._workers.busy >= _MAX_WAITING:
            raise Refused("rate_limited", "Too many people try a password now. Wait 2 seconds.", 2.0)
        n, r, p = cost
        try:
            data = password.encode()
        except UnicodeEncodeError:  # a lone surrogate is in no password
            data = password.encode("utf-8", "surrogatepass")
        hashing = partial(hashlib.scrypt, data, salt=salt, n=n, r=r, p=p, maxmem=_MAX_MEMORY, dklen=_KEY_BYTES)
        return await self._workers.run(hashing)


def _is_valid(password: str) -> bool:
    """True for a password that can be hashed. To scrypt (HMAC), NULs at the end make no difference."""
    return 1 <= len(password) <= LONGEST_PASSWORD and "\0" not in password


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _parse(stored: str) -> tuple[tuple[int, int, int], bytes, bytes] | None:
    """Cost, salt and key of a stored hash; `None` if it is malformed."""
    try:
        name, n, r, p, salt, key = stored.split("$")
        cost = int(n), int(r), int(p)
        if name != "scrypt" or 128 * cost[0] * cost[1] > _MAX_MEMORY:
            return None
        return cost, base64.b64decode(salt, validate=True), base64.b64decode(key, validate=True)
    except (ValueError, binascii.Error):
        return None
