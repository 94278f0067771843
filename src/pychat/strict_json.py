"""JSON as RFC 8259 has it, in and out: no NaN, no Infinity, no half of a surrogate pair."""

from __future__ import annotations

import json
from typing import Any, NoReturn

__all__ = ["dumps", "loads"]


def dumps(value: object) -> str:
    """`value` as compact JSON. Raise `ValueError` for what JSON cannot say."""
    return _encoder.encode(value)


def loads(text: str) -> Any:  # noqa: ANN401 -- JSON holds anything
    """The value of a JSON text. Raise `ValueError` if it is not strictly that, or is nested beyond reason."""
    try:
        value = _decoder.decode(text)
    except RecursionError:
        msg = "JSON is nested too deeply"
        raise ValueError(msg) from None
    if "\\u" in text:
        try:
            _encoder.encode(value).encode()
        except UnicodeEncodeError:
            msg = "a string holds half of a surrogate pair"
            raise ValueError(msg) from None
    return value


def _refuse(constant: str) -> NoReturn:
    msg = f"{constant} is not JSON"
    raise ValueError(msg)


_encoder = json.JSONEncoder(allow_nan=False, ensure_ascii=False, separators=(",", ":"))
_decoder = json.JSONDecoder(parse_constant=_refuse)
