"""How blocks of the docs are tested. A comment before a block names a function: `<!-- use: serves /chat/ -->`."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from tests.docs.stage import Stage
from tests.docs.uses import (
    bots,
    browser,
    console,
    django_users,
    filters,
    hooks,
    http,
    irc,
    mounting,
    private_rooms,
    reading,
    socketio,
    testing,
    transports,
    users,
    websocket,
)

__all__ = ["USES"]

_MODULES = (
    *(bots, browser, console, django_users, filters, hooks, http, irc),
    *(mounting, private_rooms, reading, socketio, testing, transports, users, websocket),
)
#: By name; each takes the stage and the argument that the comment gives.
USES: dict[str, Callable[[Stage, str], Awaitable[None]]] = {
    name: function
    for module in _MODULES
    for name, function in vars(module).items()
    if inspect.isfunction(function) and list(inspect.signature(function).parameters) == ["stage", "argument"]
}
