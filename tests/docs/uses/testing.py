"""How the tests of the docs are tested."""

from __future__ import annotations

import asyncio
import sys

from pychat.testing import Chat
from tests.docs.stage import Stage


async def passes_as_tests(stage: Stage, argument: str) -> None:
    """Pytest finds as many tests in the program as said, and all pass, in a project without a line of configuration."""
    (stage.folder / "test_program.py").write_text(stage.program.code, "utf-8")
    (stage.folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio", "-p", "no:cacheprovider", "test_program.py"),
        cwd=stage.folder,
        stdout=asyncio.subprocess.PIPE,
    )
    told = (await process.communicate())[0].decode()
    assert (process.returncode, f"{argument} passed" in told) == (0, True), told
    assert not list(stage.folder.glob("*.db"))


async def is_how_a_test_fails(stage: Stage, argument: str) -> None:
    """A test that expects “hello” fails with this text."""
    with Chat() as chat:
        chat.timeout = 0.01
        alice, bob = await chat.people(chat.room(), "alice", "bob")
        await alice.says(argument)
        try:
            await bob.sees("hello")
        except AssertionError as error:
            assert str(error) == stage.code.rstrip()
            return
    raise AssertionError("it did not fail")
