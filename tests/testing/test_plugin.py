"""The plugin, as strangers have it: their own test files, run by pytest in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

APP = """
from pychat import ChatRoom, Message, Refused

room = ChatRoom("lobby", store="sqlite:never-made.db")


@room.on("message")
def polite(message: Message) -> None:
    if message.text.isupper():
        raise Refused("shouting", "Please lower your voice.")
"""
TEST = """
from app import room


async def test_polite(chat):
    alice, bob = await chat.people(chat.adopt(room), "alice", "bob")
    with alice.is_refused("shouting"):
        await alice.says("HELLO")
    await alice.says("Hello")
    await bob.sees("Hello")
    await bob.sees_nothing_more()


async def test_alone_again(chat):
    (alice,) = await chat.people(chat.adopt(room), "alice")
    assert alice.has_seen == []
"""
MARKED = "import pytest\npytestmark = pytest.mark.asyncio\n" + TEST
ANYIO = (
    """
import pytest
pytestmark = pytest.mark.anyio

@pytest.fixture
def anyio_backend():
    return "asyncio"
"""
    + TEST
)
SYNC = """
import asyncio
from app import room


def test_polite(chat):
    async def story():
        alice, bob = await chat.people(chat.adopt(room), "alice", "bob")
        await alice.says("Hello")
        await bob.sees("Hello")

    asyncio.run(story())


def test_alone_again(chat):
    assert chat.adopt(room).here == 0
"""
ALONE = ("-p", "no:asyncio", "-p", "no:anyio")
# Without this pytest-asyncio warns, and warnings are errors here.
SCOPE = ("-o", "asyncio_default_fixture_loop_scope=function")


@pytest.fixture
def stranger(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with somebody's application, and warnings as errors."""
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    pytester.makepyfile(app=APP)
    pytester.makeini("[pytest]\nfilterwarnings = error\npythonpath = .\n")
    return pytester


@pytest.mark.parametrize(
    ("test", "options"),
    [
        pytest.param(TEST, ALONE, id="no plugin"),
        pytest.param(TEST, (*SCOPE, "-o", "asyncio_mode=auto"), id="pytest-asyncio, auto"),
        pytest.param(MARKED, (*SCOPE, "-o", "asyncio_mode=strict"), id="pytest-asyncio, strict"),
        pytest.param(TEST, (*SCOPE, "-o", "asyncio_mode=strict"), id="pytest-asyncio, strict, not marked"),
        pytest.param(ANYIO, ("-p", "no:asyncio"), id="anyio"),
        pytest.param(SYNC, ALONE, id="sync"),
    ],
)
def test_it_works_with_whatever_runs_async_tests(
    stranger: pytest.Pytester, test: str, options: tuple[str, ...]
) -> None:
    """The fixture is there without an import or a line of configuration, and each test has the app's room anew."""
    stranger.makepyfile(test_app=test)
    stranger.runpytest_subprocess(*options).assert_outcomes(passed=2)
    assert not (stranger.path / "never-made.db").exists()


def test_a_failure_points_at_the_line_and_says_what_was_seen(stranger: pytest.Pytester) -> None:
    """No frame of pychat's stands between."""
    stranger.makepyfile(
        test_app="""
        async def test_polite(chat):
            chat.timeout = 0.05
            alice, bob = await chat.people(chat.room(), "alice", "bob")
            await alice.says("helo")
            await bob.sees("hello")
        """
    )
    result = stranger.runpytest_subprocess(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>*await bob.sees("hello")',
            "E * AssertionError: bob did not see “hello”.",
            "E *   expected: “hello”",
            "E *   saw:      alice: helo",
            "test_app.py:5: AssertionError",
        ]
    )
    result.stdout.no_fnmatch_line("*pychat/testing*")


def test_a_fixture_of_ones_own_has_the_name(stranger: pytest.Pytester) -> None:
    """Whoever has a fixture `chat` already keeps it, and takes ours under another name."""
    stranger.makepyfile(
        test_app="""
        import pytest
        from pychat.testing import Chat

        @pytest.fixture
        def chat():
            return "mine"

        @pytest.fixture
        def people():
            with Chat() as chat:
                yield chat

        async def test_both(chat, people):
            assert chat == "mine"
            (alice,) = await people.people(people.room(), "alice")
            assert (await alice.says("hi")).seq == 1
        """
    )
    stranger.runpytest_subprocess(*ALONE).assert_outcomes(passed=1)


def test_async_tests_of_others_are_left_alone(stranger: pytest.Pytester) -> None:
    """What has no `chat` is not run by us."""
    stranger.makepyfile(test_app="async def test_theirs(tmp_path): ...")
    result = stranger.runpytest_subprocess(*ALONE)
    result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])


def test_whoever_tests_no_chat_loads_none() -> None:
    """Pytest loads the plugin in every run: it brings neither a room nor any third party."""
    code = "import sys, pychat.testing.plugin; print(*sorted(name for name in sys.modules if 'pychat' in name))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["pychat", "pychat._version", "pychat.testing", "pychat.testing.plugin"]
