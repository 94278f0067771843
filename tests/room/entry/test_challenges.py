"""Proof-of-work challenges: a guest of the room's own server solves one, once, in time."""

from __future__ import annotations

import asyncio
from typing import Any

import altcha
import pytest

from pychat.domain.entry import is_checked
from pychat.domain.errors import Refused
from pychat.room.clock import Clock
from pychat.room.entry import challenges as module
from pychat.room.entry.challenges import Challenges
from pychat.room.tokens import Tokens
from pychat.testing import FakeClock

TOKENS = Tokens(b"s" * 32)


@pytest.fixture(autouse=True)
def easy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Solving takes two or three steps, so that the tests are fast."""
    if "bounded" not in request.node.name:
        monkeypatch.setattr(module, "_MIN_STEPS", 1)
        monkeypatch.setattr(module, "_MAX_STEPS", 3)


def solve(challenge: dict[str, Any]) -> dict[str, Any]:
    """Do what a browser does."""
    given = altcha.Challenge.from_dict(challenge)
    found = altcha.solve_challenge(given)
    assert found is not None
    return altcha.Payload(given, found).to_dict()


async def test_a_solution_makes_a_guest_that_the_server_marked() -> None:
    """The id says that the challenge was solved, and no other id does. JSON and its Base64 form are accepted."""
    challenges = Challenges(Clock())
    solution = solve(await challenges.create("lobby", TOKENS))
    first = challenges.accept("lobby", TOKENS, solution)
    again = solve(await challenges.create("lobby", TOKENS))
    second = challenges.accept("lobby", TOKENS, altcha.Payload.from_dict(again).to_base64())
    assert is_checked(first)
    assert is_checked(second)
    assert first != second
    assert not is_checked(Tokens.new_id())
    assert not is_checked(None)


async def test_what_a_guest_computes_is_bounded() -> None:
    """The number of keys to derive is within fixed bounds, for everybody."""
    challenges = Challenges(Clock())
    solution = solve(await challenges.create("lobby", TOKENS))
    assert module._MIN_STEPS <= solution["solution"]["counter"] < module._MAX_STEPS


async def test_a_solution_counts_once() -> None:
    """Whoever sends a solution again, in any form, gets nothing."""
    challenges = Challenges(Clock())
    solution = solve(await challenges.create("lobby", TOKENS))
    challenges.accept("lobby", TOKENS, solution)
    for replay in (solution, altcha.Payload.from_dict(solution).to_base64(), {**solution, "more": 1}):
        with pytest.raises(Refused, match="used before"):
            challenges.accept("lobby", TOKENS, replay)


async def test_another_server_of_the_same_store_accepts_a_solution() -> None:
    """Challenges are signed with the secret of the store, so a server can check what another one asked."""
    solution = solve(await Challenges(Clock()).create("lobby", TOKENS))
    assert is_checked(Challenges(Clock()).accept("lobby", Tokens(b"s" * 32), solution))


async def test_a_solution_is_for_one_room_and_one_store() -> None:
    """It opens no other room, and no room that is signed with another secret."""
    challenges = Challenges(Clock())
    solution = solve(await challenges.create("lobby", TOKENS))
    with pytest.raises(Refused, match="does not solve"):
        challenges.accept("kitchen", TOKENS, solution)
    with pytest.raises(Refused, match="does not solve"):
        challenges.accept("lobby", Tokens(b"t" * 32), solution)
    assert is_checked(challenges.accept("lobby", TOKENS, solution))


async def test_a_solution_comes_in_time() -> None:
    """After the five minutes of a challenge, its solution is worth nothing."""
    clock = FakeClock()
    challenges = Challenges(clock)
    first, second = [solve(await challenges.create("lobby", TOKENS)) for _ in range(2)]
    clock.move(module._SECONDS)
    assert challenges.accept("lobby", TOKENS, first)
    clock.move(1)
    with pytest.raises(Refused, match="too late"):
        challenges.accept("lobby", TOKENS, second)


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "changed",
    [
        {"cost": 1},
        {"keyPrefix": ""},
        {"expiresAt": 99_999_999_999},
        {"expiresAt": 1e308},
        {"expiresAt": 1},
        {"data": None},
        {"data": {"room": "lobby", "expires": 99_999_999_999}},
        {"data": {"__proto__": 1}},
        {"data": {"9" * 1500: 1}},
        {"data": nested(90)},
        {"algorithm": "SCRYPT", "memoryCost": 10**9},
        {"nonce": "00" * 16},
        {"nonce": {}},
        {"keySignature": None},
        {"keyLength": -1},
        {"salt": "\ud800"},
    ],
    ids=str,
)
async def test_a_changed_challenge_is_refused(changed: dict[str, Any]) -> None:
    """No field of a challenge can be made easier, and no form of it makes the server fail or compute."""
    challenges = Challenges(Clock())
    solution = solve(await challenges.create("lobby", TOKENS))
    solution["challenge"]["parameters"].update(changed)
    with pytest.raises(Refused) as refused:
        challenges.accept("lobby", TOKENS, solution)
    assert refused.value.code == "challenge_required"
    assert not challenges._used


@pytest.mark.parametrize(
    "nonsense",
    [None, True, 5, [], {}, "", "x", "W1tb" * 400, "e30=", {"challenge": {}}, {"challenge": 5, "solution": 6}, "é" * 9],
    ids=str,
)
async def test_nonsense_is_refused(nonsense: object) -> None:
    """Whatever is sent instead of a solution is refused, not failed at."""
    with pytest.raises(Refused, match="does not solve"):
        Challenges(Clock()).accept("lobby", TOKENS, nonsense)


async def test_a_wrong_key_is_refused() -> None:
    """A solution without the work is refused, also with keys of odd forms."""
    challenges = Challenges(Clock())
    challenge = await challenges.create("lobby", TOKENS)
    for key in ("", "00" * 32, "zz", None, 5, [], challenge["parameters"]["keyPrefix"]):
        solution = {"challenge": challenge, "solution": {"counter": 500, "derivedKey": key}}
        with pytest.raises(Refused, match="does not solve"):
            challenges.accept("lobby", TOKENS, solution)


async def test_remembered_solutions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Solutions are forgotten when their challenges have expired; if there are too many before, guests wait."""
    monkeypatch.setattr(module, "_MAX_USED", 3)
    challenges = Challenges(Clock())
    for number in range(3):
        challenges._use(f"old {number}", 100.0, now=50.0)
    with pytest.raises(Refused) as refused:
        challenges._use("new", 200.0, now=60.0)
    assert (refused.value.code, refused.value.retry_after) == ("rate_limited", 10.0)
    challenges._use("new", 200.0, now=101.0)
    assert list(challenges._used) == ["new"]


async def test_a_flood_of_requests_for_challenges_is_refused() -> None:
    """Of a thousand requests at once, a bounded number waits; the others are told to come back."""
    challenges = Challenges(Clock())
    results = await asyncio.gather(*(challenges.create("lobby", TOKENS) for _ in range(1000)), return_exceptions=True)
    made = [each for each in results if isinstance(each, dict)]
    refused = [each for each in results if isinstance(each, Refused)]
    assert 1 <= len(made) <= module._MAX_WAITING
    assert len(made) + len(refused) == 1000
    assert {each.code for each in refused} == {"rate_limited"}
    assert await challenges.create("lobby", TOKENS)
