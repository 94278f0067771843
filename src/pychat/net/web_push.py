"""Sends push messages to the push services of browsers (RFC 8030), encrypted (RFC 8291) and signed (RFC 8292).

Browsers name the address to send to, so an address must be one of a known push service: no other host is ever asked.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import re
import ssl
import time
from collections.abc import Iterable, Mapping
from typing import Protocol
from urllib.parse import urlsplit

import aiohttp
from py_vapid import Vapid02
from py_vapid.utils import b64urlencode
from pywebpush import WebPusher

from pychat.domain.errors import Refused, UsageError
from pychat.domain.log_limit import RateLimitedLogger

__all__ = ["SERVICES", "Subscription", "WebPush"]

_log = RateLimitedLogger(logging.getLogger("pychat.push"), time.monotonic, lines=5)

#: The hosts of the push services of Chrome, Edge, Firefox and Safari. A name that begins with a dot is of all below it.
SERVICES = (
    "fcm.googleapis.com",
    "jmt17.google.com",
    ".push.services.mozilla.com",
    ".push.apple.com",
    ".notify.windows.com",
)
# Strict, so that nothing reads another host out of it.
_ENDPOINT = re.compile(r"https://(?P<host>[a-z0-9.-]+(:[0-9]{1,5})?)/[!-~]*")
_LONGEST_ENDPOINT = 1_000
_TTL_SECONDS = 86400  # that a push service keeps a message for a browser that is off
_TIMEOUT = aiohttp.ClientTimeout(total=20)
_SIGNED_SECONDS = 3600.0  # that one signature is used; push services accept a day at most
_CURVE_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256


class Subscription(Protocol):
    """Where to send to: see `pychat.stores.PushSubscription`."""

    @property
    def endpoint(self) -> str:
        """The address at the push service."""

    @property
    def p256dh(self) -> str:
        """The public key of the browser."""

    @property
    def auth(self) -> str:
        """The secret of the browser."""


class WebPush:
    """See `pychat.room.push.PushSender`."""

    def __init__(self, contact: str, services: Iterable[str] = SERVICES, *, tls: ssl.SSLContext | bool = True) -> None:
        """`contact` is for the operators of push services: `mailto:…` or `https://…`. Raise `UsageError` for others.

        `services` are host names, with a port if it is not 443.
        """
        if not contact.startswith(("mailto:", "https://")) or len(contact) < 10 or not contact.isascii():
            raise UsageError(f"push: {contact!r} is not a contact; write “mailto:you@example.com” or an https address")
        self._contact = contact
        self._services = tuple(services)
        self._tls = tls
        self._secret = b""
        self._vapid = Vapid02()
        self._signed: dict[str, tuple[Mapping[str, str], float]] = {}  # headers and their age, by origin
        self._session: aiohttp.ClientSession | None = None
        #: The public key, as browsers take it.
        self.key = ""

    def use(self, secret: bytes) -> None:
        """Derive the key pair from `secret`."""
        if secret != self._secret:
            self._secret = secret
            number = int.from_bytes(hashlib.sha512(secret).digest()) % (_CURVE_ORDER - 1) + 1
            self._vapid = Vapid02.from_raw(base64.urlsafe_b64encode(number.to_bytes(32)))
            numbers = self._vapid.public_key.public_numbers()
            self.key = b64urlencode(b"\x04" + numbers.x.to_bytes(32) + numbers.y.to_bytes(32))
            self._signed.clear()

    def check(self, subscription: Subscription) -> None:
        """Raise `Refused` if nothing may be sent there, or if its keys are malformed."""
        endpoint = subscription.endpoint
        if len(endpoint) > _LONGEST_ENDPOINT or not self._knows(endpoint):
            raise Refused("forbidden", "This server sends push messages only to the push services of known browsers.")
        try:
            self._encrypt(subscription, b"-")
        except Exception:
            raise Refused("bad_request", "The keys of the push subscription are malformed.") from None

    def _knows(self, endpoint: str) -> bool:
        found = _ENDPOINT.fullmatch(endpoint)
        if found is None:
            return False
        name = found["host"].removesuffix(":443")
        return any(name.endswith(each) if each.startswith(".") else name == each for each in self._services)

    async def send(self, subscription: Subscription, payload: bytes, topic: str) -> bool:
        """Send a message. Return False if the browser has ended the subscription."""
        if not self._knows(subscription.endpoint):
            return False  # the services were other ones when it was stored
        body = await asyncio.to_thread(self._encrypt, subscription, payload)
        headers = {
            **self._signature(subscription.endpoint),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(_TTL_SECONDS),
            "Topic": topic,
            "Urgency": "normal",
        }
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        try:
            async with self._session.post(
                subscription.endpoint, data=body, headers=headers, ssl=self._tls, allow_redirects=False
            ) as response:
                if response.status in (404, 410):
                    return False
                if response.status >= 300:
                    _log.warning("%s refused a push message: %s", response.url.host, response.status)
        except (aiohttp.ClientError, TimeoutError) as error:
            _log.warning("A push service could not be reached: %s", str(error) or type(error).__name__)
        return True

    async def aclose(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    @staticmethod
    def _encrypt(subscription: Subscription, payload: bytes) -> bytes:
        keys = {"p256dh": subscription.p256dh, "auth": subscription.auth}
        body: bytes = WebPusher({"endpoint": subscription.endpoint, "keys": keys}).encode(payload)["body"]
        return body

    def _signature(self, endpoint: str) -> Mapping[str, str]:
        parts, now = urlsplit(endpoint), time.time()
        origin = f"https://{parts.netloc}"
        headers, signed = self._signed.get(origin, ({}, 0.0))
        if not headers or now - signed > _SIGNED_SECONDS:
            claims = {"sub": self._contact, "aud": origin, "exp": int(now + 6 * _SIGNED_SECONDS)}
            headers = self._vapid.sign(claims)
            self._signed[origin] = headers, now
            if len(self._signed) > 100:
                del self._signed[next(iter(self._signed))]
        return headers
