"""What one command of IRC is: the function that carries it out, and what has to be so before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from pychat.transports.irc.client import Client
from pychat.transports.irc.line import Line

__all__ = ["Command", "Commands"]


class Command(NamedTuple):
    """A command that takes `min_params` parameters or more; `before` registration, or only after it."""

    execute: Callable[[Client, Line], Awaitable[None]]
    min_params: int = 0
    before: bool = False


Commands = dict[str, Command]
