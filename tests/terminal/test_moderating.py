"""`pychat ban` and its like: a moderator with only a shell keeps order."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from pychat import ChatRoom, aiohttp_app
from pychat.domain.actions import ACTIONS
from pychat.testing import Person
from tests.servers import aiohttp_server
from tests.terminal.running import ended

TOKEN = "a-token-of-the-server"


@pytest.fixture
def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room, api_tokens=TOKEN)) as address:
        yield address


async def test_somebody_is_banned_by_name_and_comes_back(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """The name of somebody who is here, or was, is enough; what was done is printed, and stands in the audit log."""
    bob = await Person.enter(room)
    member = (await bob.join("Bob"))["member"]["id"]
    await bob.say("HELLO")
    banned = await ended(
        tmp_path, "ban", url, "bob", "--for", "2h", "--delete", "1h", "--reason", "Caps", PYCHAT_TOKEN=TOKEN
    )
    assert (banned.status, banned.error) == (0, "")
    assert banned.out == f"Done: ban Bob ({member}). 1 messages were deleted.\n"
    assert (await bob.event("error"))["code"] == "banned"
    state = await room.moderation.state()
    assert [each["reason"] for each in state["ban"]] == ["Caps"]
    again = await ended(tmp_path, "unban", url, "Bob", "--token", TOKEN)
    assert (again.status, again.out) == (0, f"Done: unban Bob ({member}).\n")
    audit = await ended(tmp_path, "audit", url, "--token", TOKEN)
    lines = audit.out.splitlines()
    assert [line.split("  ", 2)[2].split(" until ")[0] for line in lines] == [
        f"api: ban Bob ({member})",
        f"api: unban Bob ({member})",
    ]
    assert lines[0].endswith(": Caps")
    told = await ended(tmp_path, "audit", url, "--json", "--limit", "1", "--token", TOKEN)
    assert json.loads(told.out)["action"] == "unban"


async def test_a_network_is_banned(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """WHO can be an address, which is never taken for a name."""
    done = await ended(tmp_path, "ban", url, "203.0.113.9/24", "--token", TOKEN)
    assert (done.status, done.out) == (0, "Done: ban 203.0.113.0/24.\n")
    refused = await ended(tmp_path, "ban", url, "127.0.0.1", "--token", TOKEN)
    assert refused.status == 1
    assert "127.0.0.1" in refused.error
    assert [each["key"] for each in (await room.moderation.state())["ban"]] == ["address:203.0.113.0/24"]


async def test_settings_roles_and_messages(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """Each action of the table has its command, with times as people write them."""
    ada = await Person.enter(room)
    member = (await ada.join("Ada"))["member"]["id"]
    await ada.say("one")
    for words in (
        ("set", url, "--slow", "1m", "--topic", "Tea", "--writing", "members"),
        ("role", url, "@ada", "moderator"),
        ("pin", url, "1"),
    ):
        done = await ended(tmp_path, *words, "--token", TOKEN)
        assert (done.status, done.error) == (0, "")
    state = await room.moderation.state()
    assert [state["settings"][name] for name in ("slow", "topic", "writing")] == [60, "Tea", "members"]
    assert [(each["key"], each["role"]) for each in state["role"]] == [(member, "moderator")]
    secret = await ended(tmp_path, "set", url, "--password", "-", "--token", TOKEN, given="open sesame\n")
    assert (secret.status, secret.error) == (0, "")
    assert (await room.moderation.state())["settings"]["password"]
    cleared = await ended(tmp_path, "clear", url, member, "--id", "--last", "1d", "--token", TOKEN)
    assert cleared.out == f"Done: clear {member}. 1 messages were deleted.\n"
    swept = await ended(tmp_path, "sweep", url, "--last", "10m", "--reason", "raid", "--token", TOKEN)
    assert (swept.status, swept.out) == (0, "Done: sweep. 0 messages were deleted.\n")


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("kick", "{url}", "Nobody", "--token", TOKEN), 1, "Nobody of the name “Nobody” is here"),
        (("kick", "{url}", "Bob"), 1, "Give --token TOKEN: an API token of the server"),
        (("kick", "{url}", "Bob", "--token", "wrong-token-of-mine"), 1, "Give --token TOKEN"),
        (("ban", "{url}", "Bob", "--for", "soon"), 2, "'soon' is no time: write 90 or 90s, 10m, 2h, 7d or 4w."),
        (("set", "{url}"), 2, "Say what to set, for example --topic TEXT."),
        (("role", "{url}", "Bob", "king"), 2, "'king' is not one of"),
        (("audit", "http://127.0.0.1:1"), 1, "The server cannot be reached"),
    ],
)
async def test_mistakes_are_explained(url: str, tmp_path: Path, words: tuple[str, ...], status: int, told: str) -> None:
    """A mistake has an exit code, and a line that says what to do."""
    done = await ended(tmp_path, *(word.format(url=url) for word in words))
    assert done.status == status
    assert told in done.error
    assert done.out == ""


async def test_two_people_of_one_name(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """Nobody is banned by mistake: the ids are listed, and one of them has to be given."""
    ids = []
    for _ in range(2):
        eve = await Person.enter(room)
        ids.append((await eve.join("Eve"))["member"]["id"])
        await eve.say("hi")
        await eve.close()
    done = await ended(tmp_path, "ban", url, "Eve", "--token", TOKEN)
    assert done.status == 1
    assert "Several people have had the name “Eve”." in done.error
    assert all(each in done.error for each in ids)
    assert (await ended(tmp_path, "ban", url, ids[0], "--id", "--token", TOKEN)).status == 0


async def test_an_invitation_and_the_queue(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """The link alone is printed, and beside it how to revoke it; what waits has the item to decide on."""
    nothing = await ended(tmp_path, "reports", url, "--token", TOKEN)
    assert (nothing.out, nothing.error) == ("", "pychat: Nothing waits for moderators.\n")
    made = await ended(tmp_path, "invite", url, "--uses", "1", "--for", "7d", "--token", TOKEN)
    assert made.out.startswith(f"{url}/rooms/lobby#invite=")
    (invite,) = (await room.moderation.state())["invite"]
    assert made.error == f"pychat: To revoke it: pychat revoke {url} {invite['key']}\n"
    assert (await ended(tmp_path, "revoke", url, invite["key"], "--token", TOKEN)).out == "Done: revoke.\n"
    assert (await ended(tmp_path, "revoke", url, invite["key"], "--token", TOKEN)).status == 1
    await room.post("Buy \x1b[31mpills", author="bot")
    eve = await Person.enter(room)
    await eve.join("Eve")
    assert (await eve.command("report", {"target": 1, "reason": "spam"}))["ok"]
    waits = await ended(tmp_path, "reports", url, "--token", TOKEN)
    item, _, told = waits.out.strip().split("  ", 2)
    assert told == "Eve reports message 1 of bot (spam): Buy \\x1b[31mpills"
    assert (await ended(tmp_path, "resolve", url, item, "--token", TOKEN)).status == 0
    assert (await ended(tmp_path, "reports", url, "--json", "--token", TOKEN)).out == ""


async def test_names_cannot_write_to_the_terminal(room: ChatRoom, url: str, tmp_path: Path) -> None:
    """Reasons of others come out as text, whatever is in them."""
    await room.moderation.ban(network="203.0.113.7", reason="\x1b[2J\u202eevil")
    for json_or_not in ((), ("--json",)):
        done = await ended(tmp_path, "audit", url, *json_or_not, "--token", TOKEN)
        assert done.status == 0
        assert "\x1b" not in done.out
        assert "\u202e" not in done.out


def test_every_action_has_its_command() -> None:
    """A new action of the table is a command, with an example."""
    from pychat.cli.main import main

    assert set(ACTIONS) <= set(main.commands)
