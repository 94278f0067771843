"""Passwords of rooms: only their hashes are kept, and comparing them costs a bounded part of the machine."""

from __future__ import annotations

import asyncio

import pytest

from pychat.domain.errors import Refused
from pychat.room import passwords as module
from pychat.room.passwords import PasswordHasher


async def test_a_password_matches_its_hash_alone() -> None:
    """The same password has another hash each time, and no other password matches it."""
    hasher = PasswordHasher()
    first, second = await hasher.hash("open sesame"), await hasher.hash("open sesame")
    assert first != second
    assert "sesame" not in first
    assert await hasher.matches("open sesame", first)
    assert await hasher.matches("open sesame", second)
    for wrong in ("open sesam", "Open sesame", "", "open sesame ", "open sesame\0", "\ud800", "x" * 10_000):
        assert not await hasher.matches(wrong, first)


@pytest.mark.parametrize("password", ["", "x" * 257, "nul\0"])
async def test_the_length_of_a_password_is_bounded(password: str) -> None:
    """An empty password, and one that is too long, are refused before anything is computed."""
    with pytest.raises(Refused) as refused:
        await PasswordHasher().hash(password)
    assert refused.value.code == "bad_request"


@pytest.mark.parametrize(
    "stored",
    ["", "scrypt", "scrypt$1$1$1$$", "md5$16384$8$1$AA==$AA==", "scrypt$99999999$8$1$AA==$AA==", "a$b$c$d$e$f"],
)
async def test_a_damaged_hash_opens_nothing(stored: str) -> None:
    """What is no hash of this form matches no password, and costs no more memory than one."""
    assert not await PasswordHasher().matches("x", stored)


async def test_a_flood_of_guesses_is_refused() -> None:
    """Of two hundred guesses at once, a bounded number waits, and one is computed at a time."""
    hasher = PasswordHasher()
    stored = await hasher.hash("open sesame")
    guesses = (hasher.matches(f"guess {each}", stored) for each in range(200))
    results = await asyncio.gather(*guesses, return_exceptions=True)
    assert sum(each is False for each in results) <= module._MAX_WAITING
    assert {each.code for each in results if isinstance(each, Refused)} == {"rate_limited"}
    assert all(each is False or isinstance(each, Refused) for each in results)
    assert hasher._workers._threads == 1
