"""A push service and browsers that subscribe there: they check signatures, and decrypt what comes."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import http_ece
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from tests.certificates import certificate, trusting

__all__ = ["Browser", "PushService", "push_service"]


class Browser:
    """A browser with a subscription."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(16)

    @property
    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` returns in it."""
        public = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return {
            "endpoint": self.endpoint,
            "expirationTime": None,
            "keys": {"p256dh": _b64(public), "auth": _b64(self._auth)},
        }

    def decrypt(self, body: bytes) -> dict[str, Any]:
        """What the server encrypted (RFC 8291)."""
        text = http_ece.decrypt(body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        told: dict[str, Any] = json.loads(text)
        return told


class PushService:
    """It takes messages for its browsers."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        #: With this, a client trusts it.
        self.tls = tls
        self.host = ""
        #: What it answers.
        self.status = 201
        self._browsers: dict[str, Browser] = {}
        self._came: asyncio.Queue[tuple[Browser, dict[str, Any]]] = asyncio.Queue()
        #: The headers of the last message.
        self.headers: dict[str, str] = {}

    def browser(self, name: str) -> Browser:
        """A new browser."""
        browser = self._browsers[f"/push/{name}"] = Browser(f"https://{self.host}/push/{name}")
        return browser

    async def respond(self, request: web.Request) -> web.Response:
        """Take a message."""
        browser = self._browsers[request.path]
        self.headers = dict(request.headers)
        assert Vapid02.verify(request.headers["Authorization"])
        assert request.headers["Content-Encoding"] == "aes128gcm"
        body = await request.read()
        assert len(body) <= 4096
        self._came.put_nowait((browser, browser.decrypt(body)))
        return web.Response(status=self.status, headers={"Location": "https://127.0.0.1:1/"})

    async def next(self) -> tuple[Browser, dict[str, Any]]:
        """The next message, and for whom it is."""
        async with asyncio.timeout(20):
            return await self._came.get()

    @property
    def waiting(self) -> int:
        """How many messages have come that nobody looked at."""
        return self._came.qsize()


@asynccontextmanager
async def push_service(folder: Path) -> AsyncIterator[PushService]:
    """Run a push service on localhost, over TLS."""
    file, key = certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key)
    service = PushService(trusting(file))
    app = web.Application()
    app.router.add_post("/push/{name}", service.respond)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        service.host = f"localhost:{runner.addresses[0][1]}"
        yield service
    finally:
        await runner.cleanup()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
