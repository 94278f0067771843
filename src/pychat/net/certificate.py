"""A TLS certificate with its private key, which can be read again while the server runs."""

from __future__ import annotations

import ssl
from pathlib import Path

from pychat.domain.errors import UsageError

__all__ = ["Certificate"]


class Certificate:
    """The certificate of a server. `context` stays the same; new connections get what `reload` read last."""

    def __init__(self, file: str, key: str | None = None) -> None:
        """`file` has the certificate and its chain, `key` the private key if `file` has none, both in PEM format.

        Raise `UsageError` if they cannot be used.
        """
        self.file = file
        self._key = key
        self.context = self._current = self._read()
        self.context.sni_callback = self._choose

    def reload(self) -> None:
        """Read the files again. Raise `UsageError` if they cannot be used; then the old certificate stays."""
        self._current = self._read()

    def _read(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION
        try:
            # With a password of its own, OpenSSL does not ask for one on the terminal.
            context.load_cert_chain(self.file, self._key, password="")
        except OSError as error:
            raise UsageError(f"{self.file}: {self._why(error)}.") from None
        return context

    def _why(self, error: OSError) -> str:
        if not isinstance(error, ssl.SSLError):
            return error.strerror or str(error)
        if b"ENCRYPTED" in Path(self._key or self.file).read_bytes():
            return "the private key needs a passphrase; write it without one"
        return f"this is not a certificate with its private key, in PEM format ({error.reason or 'PEM_LIB'})"

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        """OpenSSL calls this for each handshake, whether or not the client names a host."""
        connection.context = self._current
