"""Connects, runs the full-screen client, and restores the terminal."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from pychat.client import Client, Disconnected
from pychat.client.address import Address
from pychat.domain.errors import UsageError
from pychat.terminal import exit_codes
from pychat.terminal.join.app import ChatApp
from pychat.terminal.join.keyboard import teach
from pychat.terminal.token_store import TokenStore

__all__ = ["run"]


def run(url: str, room: str | None, *, name: str | None, token: str | None, headers: Mapping[str, str]) -> None:
    """Run until the person quits. Connection errors are printed to the terminal."""
    teach()
    exit_codes.run(_talk(url, room, name=name, token=token, headers=headers))


async def _talk(url: str, room: str | None, *, name: str | None, token: str | None, headers: Mapping[str, str]) -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("“pychat join” needs a terminal. In scripts, use “pychat post” and “pychat tail”.")
    address = Address.parse(url, room)
    app = ChatApp(TokenStore(), address, name, token=token, headers=headers)
    async with Client(address.mount, address.room, token=token, headers=headers, on_state=app.turn) as app.chat:
        await app.run_async()
    if app.ended is not None:
        raise Disconnected(app.ended)
