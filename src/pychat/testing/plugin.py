"""The plugin for pytest: the fixture `chat`, and a runner for its async tests.

pytest loads this plugin in every run, so nothing of pychat is imported until a test asks for the fixture.
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
    """Rooms and people for a test, in this process, with a fake clock and a store that can fail."""
    from pychat.testing.chat import Chat  # noqa: PLC0415 -- only who asks for it loads it

    with Chat() as chat:
        yield chat


def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run an `async def` test that uses `chat`, if no plugin for asyncio does."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    given = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}  # noqa: SLF001 -- as plugins do
    if not any(type(value).__module__ == "pychat.testing.chat" for value in given.values()):
        return None
    asyncio.run(pyfuncitem.obj(**given))
    return True
