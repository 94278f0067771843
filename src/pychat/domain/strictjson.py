"""Strict JSON (RFC 8259): no NaN, no infinities, no huge numbers, no lone surrogates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isinf
from typing import Any, NoReturn
from weakref import WeakValueDictionary

__all__ = ["Finished", "dumps", "encoder", "has_lone_surrogates", "loads"]

_MAX_DIGITS = 100
#: The escape of a surrogate. Only a text with such an escape needs a search for lone surrogates.
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError("A number has too many digits")
    return int(digits)


def _real(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        raise ValueError("A number is too large")
    return number


_DECODER = json.JSONDecoder(parse_constant=_constant, parse_int=_integer, parse_float=_real)

_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encoder() -> Callable[[object], str]:
    """`JSONEncoder.encode` that reuses its C encoder. Making a new one would take 2 of 5 µs, twice a message.

    The C encoder is private to the standard library. If it is missing or works in another way, `JSONEncoder` is used.
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
    r"""Parse a JSON text. Raise `ValueError` if it is not strict JSON, or is nested too deeply.

    A lone surrogate (`"\ud800"`) cannot be encoded as UTF-8, for example for a database. It is refused unless
    `surrogates` is true.
    """
    try:
        try:
            value, end = _DECODER.raw_decode(text)  # `decode` takes twice as long, and white space around
        except json.JSONDecodeError:
            value, end = None, -1
        if end != len(text):
            value = _DECODER.decode(text)
    except RecursionError:
        raise ValueError("JSON is nested too deeply") from None
    if not surrogates and has_lone_surrogates(text, value):
        raise ValueError("A text has a lone surrogate")
    return value


def has_lone_surrogates(text: str, value: object) -> bool:
    """True if `value`, which was parsed from the JSON `text`, has a lone surrogate."""
    if not _SURROGATE.search(text):
        return False
    try:
        _encode(value).encode()
    except UnicodeEncodeError:
        return True
    return False


def dumps(value: object) -> str:
    """The shortest JSON of a value. Raise `ValueError` for NaN and infinities, `TypeError` for other types.

    Letters beyond ASCII are not escaped. A lone surrogate raises `UnicodeEncodeError`, which is a `ValueError`, when
    the text is encoded as UTF-8.
    """
    text = _encode(value)
    return _PLACE.sub(_finished_json, text) if _MARK in text else text


#: Marks the places of `Finished` values: a lone surrogate, which no text contains.
_MARK = "\udbff"
_PLACE = re.compile(f'"({_MARK}[0-9]+)"')


class Finished:
    """A value in many JSON texts, encoded once. `dumps` writes its JSON where its `place` stands."""

    __slots__ = ("__weakref__", "json", "place")

    def __init__(self, value: object) -> None:
        """Raise what `dumps` raises."""
        self.json = dumps(value)
        self.place = f"{_MARK}{id(self)}"
        _finished[self.place] = self


_finished: WeakValueDictionary[str, Finished] = WeakValueDictionary()


def _finished_json(place: re.Match[str]) -> str:
    finished = _finished.get(place[1])
    return place[0] if finished is None else finished.json
