"""JSON, strictly."""

import json

import pytest

from pychat.domain import strictjson


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", "-Infinity", '"\\ud800"', '{"\\udc00": 1}', "{", "", "[" * 100_000, "1" * 5000]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    """Also what Python's own parser would let through."""
    with pytest.raises(ValueError):  # noqa: PT011 -- any of json's
        strictjson.loads(text)


@pytest.mark.parametrize("fast", [True, False])
def test_the_fast_encoder_says_the_same(fast: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The C encoder is not documented: a Python where it has moved is noticed here, and served all the same."""
    if not fast:
        monkeypatch.setattr("json.encoder.c_make_encoder", None)
    encode = strictjson.encoder()
    assert fast is ("encoder.<locals>" in encode.__qualname__)
    value = {"a": ["é", "\u2028", '"', 1, 2.5, True, None], "b": {"c": []}}
    assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == encode(value)
    with pytest.raises(ValueError, match="JSON"):
        encode([float("inf")])
    with pytest.raises(TypeError):
        encode([b""])


def test_what_is_json_comes_through() -> None:
    """Surrogate pairs are one character, as they should be."""
    assert strictjson.loads('{"a": "\\ud83d\\ude00", "b": [1.5, null]}') == {"a": "😀", "b": [1.5, None]}
    assert strictjson.dumps({"a": "😀"}) == '{"a":"😀"}'
    with pytest.raises(ValueError, match="JSON"):
        strictjson.dumps(float("nan"))


def test_a_finished_value_is_written_where_its_place_is() -> None:
    """The JSON with finished parts in it is the same as without, and a text cannot pretend to be one."""
    part = [{"text": 'a "quote" and é', "seq": 1}, None]
    finished = strictjson.Finished(part)
    for value in ({"a": finished.place, "b": [finished.place, 1]}, [finished.place]):
        plain = {"a": part, "b": [part, 1]} if isinstance(value, dict) else [part]
        assert strictjson.dumps(plain) == strictjson.dumps(value)
    place = finished.place
    assert not strictjson.dumps([f"x{place}"]).startswith('["x[')
    assert strictjson.loads(strictjson.dumps([f"x{place}"])) == [f"x{place}"]
