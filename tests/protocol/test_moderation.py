"""The protocol of moderation: the fields of actions are checked against the table, and events tell only what differs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.domain.access import Access
from pychat.domain.actions import ACTIONS, FIELDS, accept_action
from pychat.domain.errors import Refused
from pychat.domain.model import Member, Position
from pychat.domain.moderation import AuditEntry
from pychat.domain.notices import AccessChanged, RoomChanged, Welcome
from pychat.domain.strictjson import dumps
from pychat.protocol import v1, v2
from pychat.protocol.moderation import LISTS, decode_entry, decode_refused, encode_entries, encode_overview

ADA = Member("a", "Ada")
WELCOME = Welcome("lobby", "Lobby", Position("e", 1), False, 1, (), True, (), False, 32, 2000)
JSON = st.sampled_from(
    [None, True, False, 0, 7, -1, 2**70, 0.5, 1e300, float("nan"), "", "x", "all", "owner", [], [1], {}]
)


def good(name: str) -> Any:
    """A value that the field takes."""
    field = FIELDS[name]
    return field.choices[0] if field.choices else {str: "x", int: 7, bool: True}[field.kind]


@pytest.mark.parametrize("name", ACTIONS)
def test_an_action_has_the_fields_of_its_table(name: str) -> None:
    """All fields that an action takes are passed on, `null` is not, and an unknown or a missing one is named."""
    action = ACTIONS[name]
    fields = {field: good(field) for field in (*action.required, *action.optional)}
    assert accept_action(name, {**fields, "room": "x", "author": "bot"}) == fields
    for unknown in ("second", "__class__", "x" * 1000):
        with pytest.raises(Refused, match=r"has no field '.{1,40}'\. It has: ") as caught:
            accept_action(name, {**fields, unknown: 60})
        assert caught.value.code == "bad_request"
    assert accept_action(name, {**fields, **dict.fromkeys(action.optional)}).keys() == set(action.required)
    for field in action.required:
        less = {each: value for each, value in fields.items() if each not in (field, "network")}
        for nothing in ({}, {field: ""} if FIELDS[field].kind is str else {}):
            with pytest.raises(Refused, match=r"needs|must be"):
                accept_action(name, {**less, **nothing})


@pytest.mark.parametrize("name", [name for name, action in ACTIONS.items() if "network" in action.optional])
def test_a_network_can_stand_for_a_member(name: str) -> None:
    """An action on an address needs no member."""
    assert accept_action(name, {"network": "203.0.113.7"}) == {"network": "203.0.113.7"}


@pytest.mark.parametrize("name", ["", "x", "__class__", "BAN", None, 1, True, [], {}, ["ban"]])
def test_an_unknown_action_is_refused(name: object) -> None:
    """The refusal names those that there are."""
    with pytest.raises(Refused, match="“action” is one of: kick, ban") as caught:
        accept_action(name, {})
    assert caught.value.code == "bad_request"


@pytest.mark.parametrize(("action", "field"), [(a, f) for a, t in ACTIONS.items() for f in (*t.required, *t.optional)])
def test_a_value_of_the_wrong_type_or_size_is_refused(action: str, field: str) -> None:
    """Each field of each action says what it must be."""
    takes = FIELDS[field]
    wrong: list[object] = [[], {}, 1.5, float("nan"), float("inf"), -1, 2**64]
    wrong += [] if takes.kind is bool else [True]
    wrong += ["no such choice" if takes.choices else "x" * (takes.most + 1)] if takes.kind is str else ["1"]
    fields = {each: good(each) for each in ACTIONS[action].required}
    for value in wrong:
        with pytest.raises(Refused, match=f"“{field}” ") as caught:
            accept_action(action, {**fields, field: value})
        assert caught.value.code == "bad_request"


@given(st.sampled_from([*ACTIONS, "x"]), st.dictionaries(st.sampled_from([*FIELDS, "__proto__", "x"]), JSON))
def test_any_fields_are_decoded_or_refused(name: str, fields: dict[str, Any]) -> None:
    """Whatever stands in the fields of an action, it is decoded as the table says, or refused."""
    try:
        given = accept_action(name, fields)
    except Refused as refused:
        assert refused.code == "bad_request"
    else:
        assert all(type(value) is FIELDS[field].kind for field, value in given.items())


def test_a_room_without_moderation_is_welcomed_as_ever() -> None:
    """A welcome to a guest in a room without settings has no field that earlier versions did not have."""
    assert set(v1.encode(WELCOME)[1]) == {
        *("v", "room", "epoch", "seq", "recovered", "here", "members", "listed", "messages", "more", "limits")
    }


def test_the_settings_are_the_same_fields_in_the_welcome_and_in_the_event() -> None:
    """`welcome` and `entered` have the fields of `room`, except the title, which they have elsewhere."""
    settings = RoomChanged("Den", "Tea", 10, "members", "ask")
    name, fields = v1.encode(settings)
    assert name == "room"
    del fields["title"]
    welcome = Welcome("lobby", "Den", Position("e", 1), False, 1, (), True, (), False, 32, 2000, settings=settings)
    for version, told in ((1, v1.encode(welcome)[1]), (2, v2.encode(welcome, "lobby")[1])):
        assert fields == {each: told[each] for each in fields}, version
    back = v1.decode("welcome", json.loads(json.dumps(v1.encode(welcome)[1])))
    assert isinstance(back, Welcome)
    assert back.settings == settings
    assert v2.encode(settings, "lobby") == ("room", {"room": "lobby", "title": "Den", **fields})


def test_roles_and_permissions_of_a_later_server_are_ignored() -> None:
    """A client that does not know a role is told nothing wrong by it."""
    fields = {"access": ["read", "fly"], "role": "__class__"}
    assert v1.decode("access", fields) == AccessChanged(Access.of(["read"]))


def test_entries_of_the_audit_log_come_back_as_they_were() -> None:
    """What moderators did is told with all that is known of it, and without empty fields."""
    full = AuditEntry(1.5, ADA, "ban", "b", "Ben", "Caps", 99.25, {"address": True}, 7)
    told = encode_entries([full, AuditEntry(2.0, ADA, "set", number=6)], 1)
    assert (len(told["entries"]), told["more"]) == (1, True)
    assert full == decode_entry(json.loads(json.dumps(told["entries"][0])))
    bare = encode_entries([AuditEntry(2.0, ADA, "set", number=6)], 1)["entries"][0]
    assert set(bare) == {"number", "date", "by", "action"}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ({"code": "banned", "text": "Caps.", "until": "1970-01-01T00:00:10.000Z"}, ("banned", "Caps.", None, 10.0)),
        ({"code": "slow_mode", "text": "Wait.", "retry_after": 1.5}, ("slow_mode", "Wait.", 1.5, None)),
        ({"code": "x", "text": "y", "until": "soon", "retry_after": "1"}, ("x", "y", None, None)),
        ({"code": "x", "text": "y", "until": 3, "retry_after": True}, ("x", "y", None, None)),
    ],
)
def test_a_refusal_says_how_long_it_lasts(error: dict[str, Any], told: tuple[object, ...]) -> None:
    """The end of a ban or a mute is in the refusal; fields that make no sense are left out."""
    refused = decode_refused(error)
    assert told == (refused.code, refused.text, refused.retry_after, refused.until)


def test_what_moderators_see_is_bounded() -> None:
    """However much there is, the answer has 256 KiB, and no list hides another; the newest entries come first."""
    report = {"target": 1, "member": "m", "name": "Bob", "text": "x" * 500, "by": "a", "reason": "spam", "date": 1.0}
    overview: dict[str, Any] = {"settings": {"topic": "Tea"}, **{kind: [] for kind in LISTS}}
    overview["report"] = [{"key": f"report-{number}", **report} for number in range(1_000)]
    overview["ban"] = [{"key": f"member:m{number}", "reason": "x" * 100} for number in range(1_000)]
    overview["mute"] = [{"key": "address:203.0.113.0/24", "member": "m", "until": "2026-11-26T15:00:00.000Z"}]
    overview["role"] = [{"key": "user:ada", "role": "owner"}]
    overview["pin"] = [{"key": "42", "by": "user:ada"}]
    overview["asking"] = [{"key": "asking-1", "member": "m", "name": "Eve", "text": "", "date": 1.0, "rejected": True}]
    told = encode_overview(overview)
    assert 200_000 < len(dumps(told)) < 264_000
    assert told["more"] is True
    assert told["reports"][0]["item"] == "report-999"
    assert told["reports"][0]["date"] == "1970-01-01T00:00:01.000Z"
    assert told["bans"][0] == {"member": "m999", "reason": "x" * 100}
    assert len(told["bans"]) > 100
    assert told["mutes"] == [{"network": "203.0.113.0/24", "member": "m", "until": "2026-11-26T15:00:00.000Z"}]
    assert told["roles"] == [{"member": "user:ada", "role": "owner"}]
    assert told["pins"] == [{"target": 42, "by": "user:ada"}]
    assert told["asking"] == []  # somebody who was rejected waits no more
    small = encode_overview({**overview, "report": [], "ban": []})
    assert small["more"] is False
