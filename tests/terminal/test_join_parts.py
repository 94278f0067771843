"""The parts of `pychat join` that touch no screen: the log, its drawing, commands, completion."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from pychat import Deleted, Edited, Member, Message, Quote, Reacted, Refused
from pychat.terminal.join.completion import Completion
from pychat.terminal.join.drawing import Around, draw
from pychat.terminal.join.log import Entry, Log
from pychat.terminal.join.slash import COMMANDS, HELP, Typed, read
from pychat.terminal.join.typists import Typists

ADA, BOB = Member("a", "Ada"), Member("b", "Bob")
NOON = 1_769_860_800.0


def message(seq: int, author: Member = ADA, text: str = "hi", **more: object) -> Message:
    """A message of a room in which something is said every second."""
    return Message(f"m{seq}", author, text, NOON + seq, seq, **more)  # type: ignore[arg-type]


def shown(log: Log, width: int = 60, me: Member | None = None) -> list[str]:
    """The lines of a log, without what is empty."""
    lines: list[str] = []
    before: Entry | None = None
    for entry in log.entries:
        lines += [line.plain.rstrip() for line in draw(entry, Around.of(entry, before, width, me))]
        before = entry
    return [line for line in lines if line]


def test_an_author_is_named_once() -> None:
    """What the same person says within five minutes stands below one name; a day is told when it begins."""
    log = Log()
    log.reset([message(1), message(2), message(3, BOB), message(4), message(500)], more=False)
    lines = shown(log)
    assert lines[0].startswith("─── Saturday 31 January 2026 ─")
    assert [line.strip().split()[0] for line in lines[1:]] == ["Ada", "hi", "hi", "Bob", "hi", "Ada", "hi", "Ada", "hi"]


def test_what_becomes_of_messages_is_shown() -> None:
    """Replies quote, edits are marked, reactions counted, and of what was deleted a mark remains."""
    log = Log()
    log.reset([message(1), message(2, BOB, "yes", reply=Quote(1, "Ada", "hi\nthere"))], more=False)
    log.revise(Edited("e", BOB, 2, "yes!", NOON, 3))
    log.revise(Reacted("r", ADA, 2, "👍", True, NOON, 4))
    log.revise(Deleted("d", ADA, 1, NOON, 5))
    assert [line.strip() for line in shown(log)][2:] == [
        "deleted",
        "Bob  " + shown(log)[3][-5:],
        "╭ Ada: hi there",
        "yes! (edited)",
        "👍 1",
    ]


def test_ours_are_shown_before_they_are_stored() -> None:
    """At the end, until the room has them; each once, in the room's order; a refused one says why."""
    log = Log()
    log.reset([message(1)], more=False)
    log.pend(message(0, text="mine"))
    log.pend(message(-1, text="wrong"))
    log.add(message(2, BOB))
    assert [each.kind for each in log.entries] == ["message", "message", "pending", "pending"]
    log.fail("m-1", "Too long.")
    log.add(Message("m0", ADA, "mine", NOON, 3))
    log.add(Message("m0", ADA, "mine", NOON, 3))
    assert [(each.kind, each.seq) for each in log.entries] == [
        ("message", 1),
        ("message", 2),
        ("message", 3),
        ("failed", -1),
    ]
    assert "  Not sent: Too long." in shown(log)


def test_notices_are_gathered() -> None:
    """Comings and goings with nothing said between them share a line; the mark of what is new stands once."""
    log = Log()
    log.tell_more("Ada joined")
    log.tell_more("Bob left")
    log.mark()
    log.mark()
    log.add(message(1))
    log.tell_more("Eve joined")
    assert [each.text or each.kind for each in log.entries] == ["Ada joined, Bob left", "mark", "message", "Eve joined"]
    log.unmark()
    assert "mark" not in [each.kind for each in log.entries]


def test_older_messages_come_before() -> None:
    """What is here already is not shown again."""
    log = Log()
    log.reset([message(5), message(6)], more=True)
    log.older([message(3), message(4), message(5)], more=False)
    assert ([each.seq for each in log.entries], log.more) == ([3, 4, 5, 6], False)


TEXTS = st.text(st.sampled_from("ab \n\t\x1b中é👍👩‍👧https://x.y"), max_size=120)


@given(TEXTS, TEXTS, st.integers(16, 90), st.sampled_from(["message", "pending", "failed", "notice", "error", "help"]))
def test_no_line_is_too_wide(text: str, name: str, width: int, kind: str) -> None:
    """Whatever is written, in whatever script, and however narrow the screen; nothing that a terminal obeys is left."""
    said = message(1, Member("x", name), text, reply=Quote(1, name, text), reactions=(("👍", ("a",)), (text, ("b",))))
    entry = Entry(kind, text, said if kind in ("message", "pending", "failed") else None)  # type: ignore[arg-type]
    for line in draw(entry, Around.of(entry, None, width, ADA)):
        assert cell_len(line.plain) <= width
        assert not any(ord(letter) < 32 for letter in line.plain)


@pytest.mark.parametrize(
    ("line", "typed"),
    [
        ("hello", Typed("", "hello")),
        ("//shrug", Typed("", "/shrug")),
        ("/nick  Ada L. ", Typed("nick", "Ada L.")),
        ("/REACT +1", Typed("react", "👍")),
        ("/react :tada:", Typed("react", "🎉")),
        ("/re x", None),
        ("/rep x y", Typed("reply", "x y")),
        ("/edit", Typed("edit", "")),
        ("/who am i", None),
        ("/nick", None),
        ("/", None),
        ("/nonsense", None),
    ],
)
def test_commands_are_understood(line: str, typed: Typed | None) -> None:
    """A beginning that leaves no doubt will do; what is wrong is refused, and never sent to the room."""
    if typed is None:
        with pytest.raises(Refused):
            read(line)
    else:
        assert typed == read(line)


def test_the_help_names_every_command() -> None:
    """Whoever types /help sees all there is."""
    assert all(f"/{name}" in HELP for name in COMMANDS)


@pytest.mark.parametrize(
    ("before", "made"),
    [
        ("gr", ["Grace Hopper: ", "Greta: ", "Grace Hopper: "]),
        ("hi GRACE h", ["hi Grace Hopper "]),
        ("@gret", ["@Greta "]),
        ("and @gre", ["and @Greta "]),
        ("/se", ["/search "]),
        ("x", [None]),
        ("", [None]),
        ("a  ", [None]),
    ],
)
def test_names_are_completed(before: str, made: list[str | None]) -> None:
    """From what was typed to a name, with a colon where it begins the line; again for the next one."""
    completion = Completion(before, ["Grace Hopper", "Greta", "Ada"])
    assert made == [completion.turn() for _ in made]


def test_typing_is_forgotten() -> None:
    """Who writes is told in words, and not for ever."""
    typists = Typists()
    typists.set(ADA, on=True, now=0.0)
    assert typists.words(1.0) == "Ada is typing"
    typists.set(BOB, on=True, now=5.0)
    assert typists.words(5.0) == "Ada and Bob are typing"
    typists.set(Member("c", "Cy"), on=True, now=6.0)
    assert typists.words(6.0) == "Ada, Bob and 1 more are typing"
    assert typists.words(7.5) == "Bob and Cy are typing"
    typists.set(BOB, on=False, now=8.0)
    assert typists.words(8.0) == "Cy is typing"
    assert typists.words(20.0) == ""
