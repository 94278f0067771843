"""The file that makes one the same member again."""

from __future__ import annotations

from pathlib import Path

from pychat.terminal.token_store import TokenStore


def test_tokens_are_kept_by_place_and_name(tmp_path: Path) -> None:
    """For each server, room and name the newest; only the user can read them."""
    path = tmp_path / "state" / "members.json"
    tokens = TokenStore(path)
    assert tokens.find("http://x/", "lobby", "Ada") is None
    for token in ("one", "two"):
        tokens.keep("http://x/", "lobby", "Ada", token)
    tokens.keep("http://x/", "lobby", "Bob", "three")
    assert [TokenStore(path).find("http://x/", "lobby", name) for name in ("Ada", "Bob", "Eve")] == [
        "two",
        "three",
        None,
    ]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["members.json"]


def test_the_oldest_are_forgotten(tmp_path: Path) -> None:
    """The file does not grow for ever."""
    tokens = TokenStore(tmp_path / "members.json")
    for number in range(230):
        tokens.keep("http://x/", "lobby", f"{number}", "token")
    assert [tokens.find("http://x/", "lobby", f"{number}") is None for number in (0, 29, 30, 229)] == [
        True,
        True,
        False,
        False,
    ]


def test_a_file_that_is_no_use_is_done_without(tmp_path: Path) -> None:
    """Damaged, of another form, or where nothing can be written: nobody is kept from talking."""
    path = tmp_path / "members.json"
    for text in ("{", "[]", '{"http://x/ lobby Ada": 3}'):
        path.write_text(text)
        assert TokenStore(path).find("http://x/", "lobby", "Ada") is None
    TokenStore(path).keep("http://x/", "lobby", "Ada", "token")
    assert TokenStore(path).find("http://x/", "lobby", "Ada") == "token"
    TokenStore(tmp_path / "members.json" / "x" / "y.json").keep("http://x/", "lobby", "Ada", "token")
