"""How tests fail that use the words of `pychat.testing`: at once where that can be, and with what was seen."""

from __future__ import annotations

import asyncio

import pytest

from pychat import Close, Member, Message, Refused
from pychat.domain.model import Edited, Position
from pychat.domain.notices import Welcome
from pychat.testing import Actor, Chat
from pychat.testing.screen import Screen


@pytest.fixture
async def two(chat: Chat) -> tuple[Actor, Actor]:
    """Alice and Bob, in a test with a short timeout."""
    chat.timeout = 0.02
    alice, bob = await chat.people(chat.room(), "alice", "bob")
    return alice, bob


def told(error: pytest.ExceptionInfo[AssertionError]) -> list[str]:
    """The lines of a failure."""
    return str(error.value).splitlines()


async def test_what_was_not_seen(two) -> None:
    """What was expected, what came instead, and what came before."""
    alice, bob = two
    await alice.says("hi")
    await bob.sees("hi")
    await alice.says("mroe")
    await alice.says("again")
    with pytest.raises(AssertionError) as error:
        await bob.sees("more", by=alice)
    assert told(error) == [
        "bob did not see “more”, by alice.",
        "  expected: “more”, by alice",
        "  saw:      alice: mroe",
        "            alice: again",
        "  before:   alice: hi",
    ]


async def test_who_is_gone_sees_nothing(two) -> None:
    """A failure says so where nobody was there to see."""
    alice, bob = two
    await bob.drops()
    await alice.says("hi")
    with pytest.raises(AssertionError) as error:
        await bob.sees("hi")
    assert told(error)[1:] == [
        "  expected: “hi”",
        "  saw:      nothing",
        "  dropped:  come back with `await ….returns()`",
    ]


async def test_what_was_seen_is_too_much(two) -> None:
    """Nothing more is nothing more."""
    alice, bob = two
    await alice.says("hi")
    with pytest.raises(AssertionError) as error:
        await bob.sees_nothing_more()
    assert told(error) == ["bob saw more.", "  expected: nothing more", "  saw:      alice: hi"]
    with pytest.raises(AssertionError, match="number 7"):
        bob.message(7)
    with pytest.raises(AssertionError, match="did not see the moon"):
        await bob.sees_that(lambda: False, "the moon")


async def test_other_members(two) -> None:
    """Who is missing, and who should not be there."""
    alice, _ = two
    with pytest.raises(AssertionError) as error:
        await alice.sees_members("alice", "carol")
    assert told(error) == [
        "alice sees other members.",
        "  expected: alice, carol",
        "  saw:      alice, bob",
        "  missing: carol; not expected: bob",
    ]


async def test_refusals(two) -> None:
    """Not refused, refused for something else, or another error altogether."""
    alice, _ = two
    with pytest.raises(AssertionError, match="was not refused; expected: “text_empty”"), alice.is_refused("text_empty"):
        await alice.says("hi")
    with (
        pytest.raises(AssertionError, match=r"refused with “text_empty” \(.+\); expected: “shouting”"),
        alice.is_refused("shouting"),
    ):
        await alice.says(" ")
    with pytest.raises(ZeroDivisionError), alice.is_refused("shouting"):
        raise ZeroDivisionError


async def test_a_hook_that_is_told_and_fails() -> None:
    """Nobody hears of it but the log, so the test fails in the end, unless it has cleared what it meant."""

    async def story(hook: str, *, meant: bool = False, wrong: bool = False) -> None:
        with Chat() as chat:
            room = chat.room()
            room.on(hook, lambda _: 1 / 0)  # type: ignore[call-overload]  # it fails, whatever it returns
            await room.post("hi", author="bot")
            await chat.settle()
            assert [ZeroDivisionError] == [type(error) for error in chat.hook_errors]
            if meant:
                chat.hook_errors.clear()
            assert not wrong, "this"

    with pytest.raises(AssertionError, match=r"A hook failed: ZeroDivisionError\('division by zero'\)$"):
        await story("event")
    await story("event", meant=True)
    with pytest.raises(AssertionError, match="this"):  # what went wrong first is what is told
        await story("event", wrong=True)
    with pytest.raises(Refused, match="server failed"):
        await story("message")


async def test_closing(two, chat: Chat) -> None:
    """Still open, or closed for another reason."""
    _, bob = two
    with pytest.raises(AssertionError, match="is still open; expected: closed with SLOW"):
        await bob.is_told(Close.SLOW)
    room = chat.room("other")
    carol = await chat.person(room, "carol")
    await room.aclose()
    with pytest.raises(AssertionError, match="was closed with SHUTDOWN; expected: closed with SLOW"):
        await carol.is_told(Close.SLOW)
    with pytest.raises(AssertionError, match=r"closed: +with SHUTDOWN"):
        await carol.sees("hi")


async def test_different_orders(two, chat: Chat) -> None:
    """What two people do not both have is shown as a difference."""
    alice, bob = two
    await alice.says("one")
    await bob.drops()
    await alice.says("two")
    with pytest.raises(AssertionError) as error:
        chat.same_order(alice, bob)
    assert told(error) == [
        "alice and bob do not see the same (-: alice, +: bob):",
        "    1 alice: one",
        "  - 2 alice: two",
    ]


async def test_a_clock_that_stands_still(two, chat: Chat) -> None:
    """Who waits for a store that waits for the clock is told how to write the test; so is who waits for a hook."""
    alice, _ = two
    chat.store.delay = 1
    with pytest.raises(AssertionError, match=r"no answer in 0\.02 seconds\. The store's delay .* asyncio\.create_task"):
        await alice.says("hi")
    chat.store.delay = 0
    room = chat.room("other")
    room.on("message", lambda _: asyncio.Event().wait())  # type: ignore[call-overload]  # what it returns is passed over
    carol = await chat.person(room, "carol")
    with pytest.raises(AssertionError, match="A hook or a store may be waiting"):
        await carol.says("hi")


async def test_a_server_that_repeats_itself_fails_any_word(two) -> None:
    """Nothing may come twice, nor out of order, whatever a test looks for."""
    alice, bob = two
    said = await alice.says("hi")
    await bob.sees("hi")
    assert bob._line is not None
    bob._line.send(said)
    for looking in (bob.sees("hi"), bob.sees_nothing_more(), bob.says("hello"), bob.sees_members("alice", "bob")):
        with pytest.raises(AssertionError, match="number 1 of the log came a second time"):
            await looking


def test_a_screen_knows_what_is_late() -> None:
    """What is older than what came before is noted, and the screen keeps the order of the log."""
    screen, ada = Screen(), Member("a", "Ada")
    screen.show(Welcome("lobby", "", Position("e", 0), False, 1, (ada,), True, (), False, 32, 100))
    screen.show(Message("2", ada, "two", 0.0, 2))
    assert screen.faults == []
    screen.show(Message("1", ada, "one", 0.0, 1))
    assert [message.text for message in screen.messages] == ["one", "two"]
    assert len(screen.faults) == 1
    assert "number 1 of the log came after number 2" in screen.faults[0]
    screen.show(Edited("3", ada, 2, "TWO", 0.0, 2))
    assert "number 2 of the log came a second time" in screen.faults[1]
