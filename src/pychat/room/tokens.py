"""Resume tokens: a client that returns with its token is the same member."""

from __future__ import annotations

import base64
import hmac
import secrets

__all__ = ["Tokens"]

_ID_BYTES = 9
_MAC_BYTES = 18
_LONGEST = 512  # characters of a token; those that are issued have far fewer
_POOL_BYTES = _ID_BYTES * 256
_pool = b""


class Tokens:
    """Makes member ids, and signs them: `id.signature`, with HMAC-SHA256 (RFC 2104) under the room's secret."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @staticmethod
    def new_id(size: int = _ID_BYTES) -> str:
        """A fresh id that nobody can guess: `size` random bytes, URL-safe; 72 bits unless you ask for more."""
        global _pool  # noqa: PLW0603 -- asking the system for each id can cost more than a whole message
        if len(_pool) < size:
            _pool = secrets.token_bytes(_POOL_BYTES)
        taken, _pool = _pool[:size], _pool[size:]
        return base64.urlsafe_b64encode(taken).decode()

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
