"""An entry in the table of IRC commands."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from pychat.transports.irc.client import Client
from pychat.transports.irc.line import Line

__all__ = ["Command", "Commands"]


class Command(NamedTuple):
    """A command of at least `min_params` parameters; if `before`, it is allowed before the registration."""

    execute: Callable[[Client, Line], Awaitable[None]]
    min_params: int = 0
    before: bool = False


Commands = dict[str, Command]
