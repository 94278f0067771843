"""People with a login, in the room itself: names, namesakes, roles, and what hooks may say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pychat import ChatRoom, Limits, Member, Message, Refused, UsageError, User
from pychat.testing import Person, RecordingConnection


async def enter(room: ChatRoom, user: User) -> str | None:
    """Come in; under which name."""
    session = await room.connect(RecordingConnection(), user=user)
    assert session.you is not None
    return session.you.name


async def test_a_guest_who_has_the_name_already_locks_nobody_out() -> None:
    """A login comes in with a number behind its name; reserved names are theirs to have; letters that look alike count."""
    room = ChatRoom(reserved_names=["Boss"])
    guest = await Person.enter(room)
    await guest.join("Ada")
    assert [await enter(room, User(str(number), "Ada")) for number in (1, 2)] == ["Ada (2)", "Ada (3)"]
    assert await enter(room, User("4", "ADA")) == "ADA (4)"
    assert await enter(room, User("5", "Boss")) == "Boss"
    other = await Person.enter(room)
    assert (await other.join("Boss"))["error"]["code"] == "name_reserved"
    assert (await other.join("Ada (2)"))["error"]["code"] == "name_taken"


async def test_a_number_is_kept_for_who_comes_back() -> None:
    """Who was “Ada (2)” is that again after a drop, even if “Ada” is free by then."""
    room = ChatRoom()
    first = await room.connect(RecordingConnection(), user=User("1", "Ada"))
    second = await room.connect(RecordingConnection(), user=User("2", "Ada"))
    await second.close()
    await first.close(left=True)
    assert await enter(room, User("2", "Ada")) == "Ada (2)"
    assert await enter(room, User("1", "Ada")) == "Ada"


async def test_a_number_fits_into_the_longest_name() -> None:
    """A name of the greatest length is cut to make place for its number."""
    room = ChatRoom(limits=Limits(name=8))
    assert [await enter(room, User(str(number), "Adalbert")) for number in range(2)] == ["Adalbert", "Adal (2)"]
    assert await enter(room, User("1", "Adalbert")) == "Adal (2)"


async def test_a_name_that_cannot_be_one_is_theirs_to_choose(caplog: pytest.LogCaptureFixture) -> None:
    """Too long, or empty: that is logged, and they come in and pick another, with the same id."""
    room = ChatRoom(limits=Limits(name=8))
    session = await room.connect(RecordingConnection(), user=User("1", "A very long name indeed"))
    assert session.you is not None
    assert (session.you.name, session.you.name_fixed) == (None, False)
    assert (await session.join("Ada")) == (Member("user:1", "Ada"), None)
    assert "could not be seated" in caplog.text


async def test_a_token_cannot_make_a_guest_of_a_user_or_the_other_way_round() -> None:
    """What a user sends as a token is ignored, and a user is given none."""
    room = ChatRoom()
    guest = await Person.enter(room)
    token = (await guest.join("Eve"))["token"]
    session = await room.connect(RecordingConnection(), user=User("1", "Ada"))
    assert await session.join("Ada", token) == (Member("user:1", "Ada"), None)
    assert [member.id[:5] == "user:" for member in room.members] == [False, True]


async def test_a_hook_may_refuse_or_rename_a_login() -> None:
    """The hook `join` has its word about logins too: refused, they watch without a name."""
    room = ChatRoom()

    @room.on("join")
    def judge(member: Member) -> Member | None:
        if member.name == "Eve":
            raise Refused("banned", "Not you.")
        return replace(member, name="Countess") if "noble" in member.roles else None

    assert await enter(room, User("1", "Ada", roles=("noble",))) == "Countess"
    session = await room.connect(RecordingConnection(), user=User("2", "Eve"))
    assert session.you is not None
    assert session.you.name is None
    with pytest.raises(Refused, match="Not you"):
        await session.join(None)
    with pytest.raises(Refused, match="nickname first"):
        await session.say("hi")


async def test_hooks_know_who_speaks() -> None:
    """A message hook sees the author's roles, for edits too, and finds the app's data; the log keeps neither."""
    room = ChatRoom()
    seen: list[tuple[tuple[str, ...], object]] = []

    @room.on("message")
    def look(message: Message) -> None:
        user = room.user(message.author.id)
        seen.append((message.author.roles, None if user is None else user.data))

    session = await room.connect(RecordingConnection(), user=User("1", "Ada", ("vip",), data="gold"))
    said = await session.say("hi")
    await session.edit(said.seq, "hello")
    assert seen == [(("vip",), "gold")] * 2
    assert said.author == Member("user:1", "Ada")


async def test_posting_as_a_user_is_their_own_message() -> None:
    """From code: the author is the member that they are here, who can edit it."""
    room = ChatRoom()
    message = await room.post("from the form", author=User("1", "Ada"))
    session = await room.connect(RecordingConnection(), user=User("1", "Ada"))
    assert await session.edit(message.seq, "better") is not None
    with pytest.raises(UsageError, match="needs a name"):
        await room.post("hi", author=User("2"))


@pytest.mark.parametrize(
    "wrong", [{"id": 42}, {"id": ""}, {"id": "x" * 129}, {"id": "a\n"}, {"id": "1", "roles": "vip"}]
)
def test_a_user_that_cannot_be_is_named(wrong: dict[str, object]) -> None:
    """Ids are texts, roles a tuple of texts: what a database gives otherwise is a mistake that is told at once."""
    with pytest.raises(UsageError):
        User(**wrong)  # type: ignore[arg-type]  # the mistakes
