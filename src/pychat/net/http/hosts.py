"""The host names that the server answers to, as protection against DNS rebinding."""

from __future__ import annotations

import logging
import re
import socket
import time
from collections.abc import Iterable
from ipaddress import ip_address

from pychat.domain.errors import UsageError
from pychat.domain.ratelog import RateLimitedLogger
from pychat.net.http.proxies import Proxies

__all__ = ["HostPolicy", "host_name"]

_NAME = re.compile(r"[a-z0-9._-]+")
_PORT = re.compile(r"[0-9]{0,5}")
_log = RateLimitedLogger(logging.getLogger("pychat.host"), time.monotonic)


def host_name(netloc: str) -> str | None:
    """The name in a Host header or an authority, in small letters and without port; `None` if it is malformed."""
    netloc = netloc.strip().lower()
    if netloc.startswith("["):
        name, bracket, rest = netloc[1:].partition("]")
        well_formed = bool(bracket) and _is_address(name)
    else:
        name, colon, port = netloc.partition(":")
        name, rest = name.rstrip("."), colon + port
        well_formed = _NAME.fullmatch(name) is not None
    return name if well_formed and (not rest or (rest[0] == ":" and _PORT.fullmatch(rest[1:]))) else None


class HostPolicy:
    """The host names that a server answers to.

    A page of evil.example can have its own name point at 127.0.0.1; its requests to that name are then of the same
    origin, and only the Host header tells. So names are allowed one by one. An address is always allowed, for nobody
    can make one point elsewhere; so are `localhost`, names below it, and the names of this machine.

    `allowed` holds names such as `"chat.example.com"`, or `"*"` for any, with which nothing is checked. Raise
    `UsageError` for what is no name.
    """

    __slots__ = ("_allowed", "_any")

    def __init__(self, allowed: Iterable[str] | str) -> None:
        names = [allowed] if isinstance(allowed, str) else list(allowed)
        self._any = "*" in names
        own = socket.gethostname().lower().rstrip(".")
        self._allowed = {"localhost", own, own.partition(".")[0], own.partition(".")[0] + ".local"}
        for given in set(names) - {"*"}:
            name = host_name(given)
            if name is None:
                raise UsageError(f'allowed_hosts: {given!r} is not a host; write "chat.example.com" or "*"')
            self._allowed.add(name)

    def allows(self, host: str | None) -> bool:
        """Whether this server answers to `host`, the value of a Host header. No browser leaves that out."""
        if self._any or not host:
            return True
        name = host_name(host)
        return name is not None and (name in self._allowed or name.endswith(".localhost") or _is_address(name))

    def refusal(self, proxies: Proxies, peer: str, host: str | None, forwarded_host: str | None) -> str | None:
        """Why a request of `peer` is not answered, and what to do; `None` if it is.

        Host and, from a trusted proxy, X-Forwarded-Host must both be allowed: any page can send the latter.
        """
        if self._any:
            return None
        for given in (host, proxies.host(peer, host, forwarded_host)):
            if not self.allows(given):
                name = host_name(given or "")
                if name is None:
                    return "The host that was asked for is not a host name."
                name = name[:253]
                _log.warning("Refused a request for the host %s. To answer to it: --allow-host %s", name, name)
                return (
                    f"This chat does not answer to the name {name}. If it should, start it with --allow-host {name},"
                    f' or mount it with allowed_hosts=["{name}"].'
                )
        return None


def _is_address(name: str) -> bool:
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True
