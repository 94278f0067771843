"""Checks and answers the opening handshake of a WebSocket (RFC 6455, section 4.2.2)."""

from __future__ import annotations

from base64 import b64encode
from binascii import Error, a2b_base64
from hashlib import sha1

__all__ = ["VERSION", "accept_key"]

#: The one version of the protocol that is spoken.
VERSION = "13"

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def accept_key(key: str) -> str | None:
    """The `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`; `None` for a key that is not 16 bytes in base64."""
    try:
        if len(a2b_base64(key, strict_mode=True)) != 16:
            return None
    except (Error, ValueError):
        return None
    return b64encode(sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()
