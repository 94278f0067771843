"""The rules of a room, held to them by any sequence of commands."""

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits
from pychat.domain.model import (
    Command,
    Drop,
    Event,
    Join,
    Joined,
    Leave,
    Left,
    Member,
    Message,
    Renamed,
    Say,
    SetTyping,
    Typing,
)
from pychat.domain.names import Names
from pychat.domain.rules import RoomState

PEOPLE = st.sampled_from(["a", "b", "c"])
SAID_NAMES = st.sampled_from(["Ada", "ada", "Аda", "Bob", "lan", "Ian", "ian", "admin", "", "\u202ex"])
TEXTS = st.sampled_from(["hi", "", "x" * 2001, "\0", "☕"])
NOW = 1_700_000_000.0


def new_state() -> RoomState:
    """A room with nobody in it."""
    return RoomState(Names(), Limits())


def execute(state: RoomState, *commands: Command) -> list[Event | Refused | None]:
    """Decide and apply, one after the other."""
    outcomes: list[Event | Refused | None] = []
    for command in commands:
        try:
            decided = state.decide(command, NOW)
        except Refused as refused:
            outcomes.append(refused)
            continue
        outcomes.append(decided)
        if decided is not None:
            state.apply(decided)
    return outcomes


def test_joining_renaming_and_leaving() -> None:
    """The life of a nickname, event by event."""
    ada, countess = Member("a", "Ada"), Member("a", "Countess")
    assert [Joined(ada), None, Renamed(countess, "Ada"), Left(countess), None] == execute(
        new_state(), Join("a", "Ada"), Join("a", "Ada"), Join("a", "Countess"), Leave("a"), Leave("a")
    )


def test_a_name_is_free_when_its_owner_renames_or_leaves() -> None:
    """Both were bugs of the originals."""
    outcomes = execute(
        new_state(),
        Join("a", "Ada"),
        Join("b", "Ada"),
        Join("a", "Countess"),
        Join("b", "ADA"),
        Leave("b"),
        Join("a", "ada"),
    )
    assert [type(outcome) for outcome in outcomes] == [Joined, Refused, Renamed, Joined, Left, Renamed]


def test_one_may_change_the_case_of_ones_own_name() -> None:
    """A name does not collide with itself."""
    assert isinstance(execute(new_state(), Join("a", "ada"), Join("a", "Ada"))[1], Renamed)


def test_speaking_takes_a_name_and_ends_typing() -> None:
    """A message before a nickname is refused; one after it ends the sign that somebody writes."""
    state = new_state()
    early, _, typing, message = execute(
        state, Say("a", "1", "hi"), Join("a", "Ada"), SetTyping("a", on=True), Say("a", "2", "hi")
    )
    assert isinstance(early, Refused)
    assert early.code == "not_joined"
    assert typing == Typing(Member("a", "Ada"), on=True)
    assert message == Message("2", Member("a", "Ada"), "hi", NOW)
    assert not state.typing


class AnySequence(RuleBasedStateMachine):
    """Whatever people do, in whatever order."""

    def __init__(self) -> None:
        super().__init__()
        self.state = new_state()
        self.happened: list[Event] = []

    def give(self, command: Command) -> None:
        """Decide, which changes nothing, then apply."""
        before = dict(self.state.members), set(self.state.typing), self.state.seq
        decided = None
        with suppress(Refused):
            decided = self.state.decide(command, NOW)
        assert before == (self.state.members, set(self.state.typing), self.state.seq)
        if decided is not None:
            self.state.apply(decided)
            self.happened.append(decided)

    @rule(who=PEOPLE, name=SAID_NAMES)
    def join(self, who: str, name: str) -> None:
        """Somebody takes a name."""
        self.give(Join(who, name))

    @rule(who=PEOPLE)
    def leave(self, who: str) -> None:
        """Somebody goes."""
        self.give(Leave(who))

    @rule(who=PEOPLE)
    def drop(self, who: str) -> None:
        """Somebody's connection breaks."""
        self.give(Drop(who))

    @rule(who=PEOPLE, text=TEXTS)
    def say(self, who: str, text: str) -> None:
        """Somebody speaks."""
        self.give(Say(who, "id", text))

    @rule(who=PEOPLE, on=st.booleans())
    def type(self, who: str, on: bool) -> None:
        """Somebody writes, or stops."""
        self.give(SetTyping(who, on))

    @invariant()
    def names_are_unlike(self) -> None:
        """No two members can be taken for each other, and none for somebody reserved."""
        names = [member.name for member in (*self.state.members.values(), *self.state.away.values())]
        assert not self.state.members.keys() & self.state.away.keys()
        keys = [Names.keys(name) for name in names]
        keys.append(Names.keys("admin"))
        assert len(frozenset[str]().union(*keys)) == sum(map(len, keys))

    @invariant()
    def only_members_type(self) -> None:
        """Nobody who has gone is shown as writing."""
        assert self.state.typing.keys() <= self.state.members.keys()

    @invariant()
    def replay_is_live(self) -> None:
        """Applying what happened to an empty room gives this room."""
        replayed = new_state()
        for event in self.happened:
            replayed.apply(event)
        for name in ("members", "away", "known", "typing", "seq", "_holders"):
            assert getattr(replayed, name) == getattr(self.state, name)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
