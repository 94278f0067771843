"""The certificates of `pychat serve`: read at the start, and again on SIGHUP."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from pychat.cli.console import Console
from pychat.cli.settings import Settings
from pychat.domain.errors import UsageError
from pychat.net.certificate import Certificate

__all__ = ["HSTS_SECONDS", "Certificates"]

#: How long browsers use only https for a host that was served with TLS, if no `--hsts` says otherwise.
HSTS_SECONDS = 31_536_000


class Certificates:
    """Those of the web and of IRC, `None` without TLS."""

    def __init__(self, settings: Settings) -> None:
        """Raise `UsageError` for files that cannot be used, and for flags that do not fit together."""
        if settings.tls_key and not settings.tls_cert:
            raise UsageError("--tls-key needs --tls-cert.")
        if settings.hsts is not None and not settings.tls_cert:
            raise UsageError("--hsts needs --tls-cert. If a proxy adds TLS, let the proxy send the header.")
        if settings.irc_port is None and (settings.irc_tls_cert or settings.irc_tls_key):
            raise UsageError("--irc-tls-cert and --irc-tls-key need --irc-port, for example --irc-port 6697.")
        if settings.irc_tls_key and not settings.irc_tls_cert:
            raise UsageError("--irc-tls-key needs --irc-tls-cert.")
        self.web = _read("--tls-cert", settings.tls_cert, settings.tls_key)
        self.irc = _read("--irc-tls-cert", settings.irc_tls_cert, settings.irc_tls_key)
        seconds = HSTS_SECONDS if settings.hsts is None else settings.hsts
        #: The header for each response over TLS (RFC 6797).
        self.headers = {} if self.web is None else {"Strict-Transport-Security": f"max-age={seconds}"}

    def reload_on_hangup(self, console: Console) -> None:
        """From now on, read the files again on SIGHUP. Nobody is disconnected."""
        if self.web or self.irc:
            with contextlib.suppress(NotImplementedError, AttributeError):  # Windows
                asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._reload, console)

    def _reload(self, console: Console) -> None:
        for certificate in filter(None, (self.web, self.irc)):
            try:
                certificate.reload()
            except UsageError as error:
                told = f"The certificate cannot be read again, and the old one stays: {error}"
                console.say(told, {"event": "certificate", "ok": False, "file": certificate.file})
            else:
                told = f"The certificate {certificate.file} was read again. New connections get it."
                console.say(told, {"event": "certificate", "ok": True, "file": certificate.file})


def _read(flag: str, file: str | None, key: str | None) -> Certificate | None:
    try:
        return None if file is None else Certificate(file, key)
    except UsageError as error:
        raise UsageError(f"{flag} {error}") from None
