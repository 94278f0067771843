"""Access is a set of permissions, which an app may name in several ways."""

from __future__ import annotations

import pytest

from pychat import Access, Limits, RoomSettings, UsageError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("none", []),
        ("read", ["read"]),
        ("write", ["read", "write", "react", "upload"]),
        ("moderate", ["read", "write", "react", "upload", "moderate"]),
        (["react", "read"], ["read", "react"]),
        ((), []),
        (Access.READ, ["read"]),
    ],
)
def test_the_ways_to_say_what_somebody_may_do(given: object, expected: list[str]) -> None:
    """A word stands for all permissions below it, and a set is taken as it is."""
    assert expected == Access.of(given).permissions


@pytest.mark.parametrize("given", ["admin", None, True, 3, ["read", "fly"], ["write"], [["read"]]])
def test_what_is_no_access_is_an_error_of_the_program(given: object) -> None:
    """An unknown word or permission, or permissions without `read`, never count as access or as none."""
    with pytest.raises(UsageError):
        Access.of(given)


def test_access_is_shown_by_its_name() -> None:
    """Logs name the usual sets, and list the permissions of others."""
    assert [repr(each) for each in (Access.NONE, Access.MODERATE, Access.of(["read", "react"]))] == [
        "Access.NONE",
        "Access.MODERATE",
        "Access.of(['read', 'react'])",
    ]


def test_settings_survive_a_store() -> None:
    """Settings that a store kept are the same settings again; what it kept wrongly does not lock a room."""
    settings = RoomSettings("Tea", Limits(text=9), ("boss",), 3.0, listed=False)
    assert settings == RoomSettings.from_json("Tea", settings.as_json())
    assert RoomSettings("Tea") == RoomSettings.from_json("Tea", {})
    assert RoomSettings("Tea", Limits(text=9)) == RoomSettings.from_json("Tea", {"limits": {"text": 9, "new": 1}})
    assert RoomSettings("Tea") == RoomSettings.from_json("Tea", {"limits": 7, "grace": "x"})
