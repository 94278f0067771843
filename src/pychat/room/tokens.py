"""Ids of members and events, and resume tokens: a client that returns with its token is the same member."""

from __future__ import annotations

import base64
import hmac
import re
import secrets

from pychat.domain.errors import Refused

__all__ = ["Tokens", "event_id"]

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ID_BYTES = 9
_ID_LETTERS = _ID_BYTES * 4 // 3
_MAC_BYTES = 18
_LONGEST = 512  # characters of a token; those that are issued have far fewer
_POOL_IDS = 256
_pool: list[str] = []


class Tokens:
    """Makes member ids, and signs them: `id.signature`, with HMAC-SHA256 (RFC 2104) under the room's secret."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @staticmethod
    def new_id(size: int = _ID_BYTES) -> str:
        """A fresh id that nobody can guess: `size` random bytes, URL-safe; 72 bits unless you ask for more."""
        if size != _ID_BYTES:
            return base64.urlsafe_b64encode(secrets.token_bytes(size)).decode()
        if not _pool:  # asking the system for each id can cost more than a whole message
            drawn = base64.urlsafe_b64encode(secrets.token_bytes(_ID_BYTES * _POOL_IDS)).decode()
            _pool.extend(drawn[at : at + _ID_LETTERS] for at in range(0, len(drawn), _ID_LETTERS))
        return _pool.pop()

    def issue(self, member_id: str) -> str:
        """The token of `member_id`."""
        mac = hmac.digest(self._secret, member_id.encode(), "sha256")[:_MAC_BYTES]
        return f"{member_id}.{base64.urlsafe_b64encode(mac).decode()}"

    def read(self, token: str) -> str | None:
        """The member id of a token that was issued under this secret; otherwise `None`."""
        if len(token) > _LONGEST:
            return None
        member_id, _, _ = token.partition(".")
        try:
            genuine = hmac.compare_digest(self.issue(member_id).encode(), token.encode())
        except UnicodeEncodeError:
            return None
        return member_id if genuine else None

    def key(self, purpose: str) -> bytes:
        """A key for another purpose, derived from the secret. No token tells anything about it."""
        return hmac.digest(self._secret, f"key for {purpose}".encode(), "sha512")


def event_id(given: str | None) -> str:
    """The id for a new event: the given one if it is valid, else a new one."""
    if given is None:
        return Tokens.new_id()
    if not _ID.fullmatch(given):
        raise Refused("bad_request", "An id has 1-64 characters of A-Z a-z 0-9 _ and -.")
    return given
