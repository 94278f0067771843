"""JSON, strictly."""

import pytest

from pychat import strictjson


@pytest.mark.parametrize(
    "text", ["NaN", "[Infinity]", "-Infinity", '"\\ud800"', '{"\\udc00": 1}', "{", "", "[" * 100_000, "1" * 5000]
)
def test_what_is_not_json_is_refused(text: str) -> None:
    """Also what Python's own parser would let through."""
    with pytest.raises(ValueError):  # noqa: PT011 -- any of json's
        strictjson.loads(text)


def test_what_is_json_comes_through() -> None:
    """Surrogate pairs are one character, as they should be."""
    assert strictjson.loads('{"a": "\\ud83d\\ude00", "b": [1.5, null]}') == {"a": "😀", "b": [1.5, None]}
    assert strictjson.dumps({"a": "😀"}) == '{"a":"😀"}'
    with pytest.raises(ValueError, match="JSON"):
        strictjson.dumps(float("nan"))
