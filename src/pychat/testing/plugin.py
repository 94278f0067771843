"""The plugin that pytest loads where pychat is installed: the fixture `chat`, and how its tests run without a plugin.

Until a test asks for the fixture, nothing of pychat is imported.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pychat.testing.chat import Chat


@pytest.fixture
def chat() -> Iterator[Chat]:
    """Rooms and people of a test, in this process, with a clock to move and a store that can fail."""
    from pychat.testing.chat import Chat  # noqa: PLC0415 -- only who asks for it loads it

    with Chat() as chat:
        yield chat


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test that has a `chat`, where no plugin for asyncio has taken it."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}  # noqa: SLF001 -- as plugins do
    if not any(type(value).__module__ == "pychat.testing.chat" for value in given.values()):
        return None
    asyncio.run(pyfuncitem.obj(**given))
    return True
