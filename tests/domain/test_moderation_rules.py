"""The rulebook of moderation: any sequence of actions keeps its promises."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pychat.domain.access import Access
from pychat.domain.actions import ACTIONS, accept_action
from pychat.domain.decision import Actor, Subject
from pychat.domain.errors import Refused
from pychat.domain.model import Member
from pychat.domain.moderation import Moderated
from pychat.domain.moderation_rules import BOUNDS, decide
from pychat.domain.moderation_state import ModerationState
from pychat.domain.roles import PROGRAM_RANK, Role, role_of

_PEOPLE = ("ada", "bob", "cy", "dan")
_ACTIONS = ("kick", "ban", "unban", "mute", "unmute", "role", "pin", "unpin", "set")
_FIELDS = st.fixed_dictionaries(
    {"member": st.sampled_from(_PEOPLE), "role": st.sampled_from([role.label for role in Role])},
    optional={
        "seconds": st.integers(0, 100),
        "target": st.integers(1, 60),
        "address": st.booleans(),
        "reason": st.text(max_size=20),
        "slow": st.integers(0, 10),
        "entry": st.sampled_from(["open", "closed"]),
        "topic": st.text(max_size=20),
    },
)
_STEPS = st.lists(
    st.tuples(st.sampled_from((*_PEOPLE, "program")), st.sampled_from(_ACTIONS), _FIELDS, st.integers(0, 50)),
    max_size=40,
)


def _subject(state: ModerationState, member_id: str) -> Subject:
    role = role_of(state.stored_role(member_id), (), Access.WRITE, login=False)
    return Subject(member_id, member_id.title(), role, ("203.0.113.7",), alone=member_id == "dan")


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
@given(_STEPS)
def test_any_sequence_of_actions(steps: list[tuple[str, str, dict[str, Any], int]]) -> None:
    """Nobody acts on equals; an owner remains; what was decided is what is stored; loading gives the same state."""
    state, now = ModerationState(), 1_000.0
    owned = False
    for who, action, given_fields, pause in steps:
        now += pause
        state.expire(now)
        subject = _subject(state, given_fields["member"])
        rank = PROGRAM_RANK if who == "program" else int(_subject(state, who).role)
        before = {kind: dict(state.of(kind)) for kind in BOUNDS}
        try:
            fields = accept_action(action, {"target": 1, **given_fields})
            about = subject if "member" in fields else None
            decision = decide(state, action, fields, Actor(Member(who, who), rank), about, now)
        except Refused:
            continue
        finally:
            assert {kind: dict(state.of(kind)) for kind in BOUNDS} == before, "deciding changes nothing"
        assert rank >= ACTIONS[action].role
        if action in ("kick", "ban", "mute"):
            assert rank > subject.role
        if decision is None:
            continue
        state.apply(Moderated(decision.changes, state.version + 1, decision.entry))
        owners = sum(each.data["role"] == "owner" for each in state.of("role").values())
        assert owners or not owned, "the last owner keeps the role"
        owned = bool(owners)
        assert all(state.stored_role(key.removeprefix("member:")) is not Role.OWNER or owners > 1
                   for key in state.of("ban") if key not in before["ban"])  # fmt: skip
        records = [record for kind in (*BOUNDS, "setting") for record in state.of(kind).values()]
        loaded = ModerationState(records, state.version)
        for person in _PEOPLE:
            role = _subject(state, person).role
            assert [
                each.held_against(kind, person, "203.0.113.7", role, now, login=False)
                for each in (state, loaded) for kind in ("ban", "mute")
            ] == 2 * [state.held_against(kind, person, "203.0.113.7", role, now, login=False) for kind in ("ban", "mute")]  # fmt: skip
