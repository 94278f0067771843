"""JSON as every client can read it (RFC 8259): no NaN, no infinities, no endless numbers, no half characters."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Any, NoReturn

__all__ = ["dumps", "encoder", "has_lone_surrogates", "loads"]

_MAX_DIGITS = 100
#: An escape of half a character; only where one is seen need the value be searched for one without its other half.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("A number has more digits than can be taken")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("A number is too large")
    return number


_decode = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_real).decode
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encoder() -> Callable[[object], str]:
    """`JSONEncoder.encode`, without the C encoder that it makes anew for each value: 2 µs of 5, twice a message.

    That C encoder is all that is private here; where it has moved, what is documented does.
    """
    make = getattr(json.encoder, "c_make_encoder", None)
    if make is None:
        return _ENCODER.encode
    try:
        fast = make(
            None, _ENCODER.default, json.encoder.encode_basestring, None, ":", ",", False, False, False
        )  # fmt: skip
        if "".join(fast({"a": ["é", 1, None]}, 0)) != '{"a":["é",1,null]}':
            return _ENCODER.encode
    except Exception:
        return _ENCODER.encode

    def encode(value: object) -> str:
        return "".join(fast(value, 0))

    return encode


_encode = encoder()


def loads(text: str, *, surrogates: bool = False) -> Any:  # noqa: ANN401 (JSON can be anything)
    r"""Read a JSON text. Raises `ValueError` for what is not strict JSON, or is nested too deeply.

    A lone surrogate (`"\ud800"`) cannot be written as UTF-8, to a database for one; it is refused unless
    `surrogates` is true.
    """
    try:
        value = _decode(text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    if not surrogates and has_lone_surrogates(text, value):
        raise ValueError("A text holds half a character (a lone surrogate)")
    return value


def has_lone_surrogates(text: str, value: object) -> bool:
    """Whether the `value` that came from the JSON `text` holds half a character."""
    if not _HALF.search(text):
        return False
    try:
        _encode(value).encode()
    except UnicodeEncodeError:
        return True
    return False


def dumps(value: object) -> str:
    """The shortest JSON of a value. Raises `ValueError` for NaN and infinities, `TypeError` for what is not JSON.

    Letters beyond ASCII are written as they are. A lone surrogate shows when the text is encoded as UTF-8, as a
    `UnicodeEncodeError`, which is a `ValueError`.
    """
    return _encode(value)
