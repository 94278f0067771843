"""Counts the steps of a regular expression: a small matcher that backtracks as Python's does, and says how often it looked.

`re` tells nobody how long it searched. So each of our patterns is parsed by `re` itself, and its tree is walked here.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product
from pathlib import Path
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, NamedTuple

__all__ = ["TooManySteps", "Use", "ambiguous", "steps_of", "uses"]

_MOST = 100_000
_CONSTANT = 500
_Go = Callable[[int], bool]


class TooManySteps(Exception):
    """A pattern looks for longer than anybody would wait."""


class Use(NamedTuple):
    """A pattern somewhere in the sources."""

    file: str
    pattern: str
    #: It is tried at every place of a text, and not at its beginning alone.
    searches: bool


class _Matcher:
    def __init__(self, pattern: str, text: str) -> None:
        self.tree = _parsed(pattern)
        self.text = text
        self.steps = 0

    def match(self, at: int, *, whole: bool) -> bool:
        return self._sequence(list(self.tree), at, lambda end: not whole or end == len(self.text))

    def _step(self) -> None:
        self.steps += 1
        if self.steps > _MOST:
            raise TooManySteps

    def _sequence(self, items: list[Any], at: int, go: _Go) -> bool:
        if not items:
            return go(at)
        (code, given), rest = items[0], items[1:]
        self._step()
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            least, most, body = given
            return self._repeat(list(body), least, most, at, lambda end: self._sequence(rest, end, go), 0)
        if code is codes.SUBPATTERN:
            return self._sequence(list(given[3]), at, lambda end: self._sequence(rest, end, go))
        if code is codes.BRANCH:
            return any(self._sequence(list(one) + rest, at, go) for one in given[1])
        if code is codes.AT:
            end = given in (codes.AT_END, codes.AT_END_STRING)
            return (at == len(self.text) if end else at == 0) and self._sequence(rest, at, go)
        if code in (codes.ASSERT, codes.ASSERT_NOT):
            direction, body = given
            start = at if direction > 0 else at - body.getwidth()[0]
            found = start >= 0 and self._sequence(list(body), start, lambda end: direction > 0 or end == at)
            return found is (code is codes.ASSERT) and self._sequence(rest, at, go)
        return at < len(self.text) and _is(code, given, self.text[at]) and self._sequence(rest, at + 1, go)

    def _repeat(self, body: list[Any], least: int, most: int, at: int, go: _Go, done: int) -> bool:
        if len(body) == 1 and body[0][0] in (codes.IN, codes.LITERAL, codes.NOT_LITERAL, codes.ANY):
            end = at
            while end < len(self.text) and end - at < most and _is(body[0][0], body[0][1], self.text[end]):
                self._step()
                end += 1
            for last in range(end, at + least - 1, -1):
                self._step()
                if go(last):
                    return True
            return False
        self._step()

        def again(end: int) -> bool:
            return (end > at or done < least) and self._repeat(body, least, most, end, go, done + 1)

        if done < most and self._sequence(body, at, again):
            return True
        return done >= least and go(at)


@lru_cache(maxsize=1)
def _parsed(pattern: str) -> Any:
    _known.clear()
    return parser.parse(pattern)


#: Whether a set of the parsed pattern has a character: a set can have a thousand ranges.
_known: dict[tuple[int, str], bool] = {}


def _is(code: Any, given: Any, sign: str) -> bool:
    if code is not codes.IN:
        return _compare(code, given, sign)
    key = (id(given), sign)
    if key not in _known:
        _known[key] = _compare(code, given, sign)
    return _known[key]


def _compare(code: Any, given: Any, sign: str) -> bool:
    number = ord(sign)
    if code is codes.LITERAL:
        return bool(number == given)
    if code is codes.NOT_LITERAL:
        return bool(number != given)
    if code is codes.ANY:
        return sign != "\n"
    assert code is codes.IN, code
    found = False
    for kind, value in given:
        if kind is codes.LITERAL:
            found = found or number == value
        elif kind is codes.RANGE:
            found = found or value[0] <= number <= value[1]
        elif kind is codes.CATEGORY:
            found = found or re.match(_CATEGORIES[value], sign) is not None
    return found is not (given[0][0] is codes.NEGATE)


_CATEGORIES = {
    codes.CATEGORY_SPACE: r"\s", codes.CATEGORY_NOT_SPACE: r"\S", codes.CATEGORY_DIGIT: r"\d",
    codes.CATEGORY_NOT_DIGIT: r"\D", codes.CATEGORY_WORD: r"\w", codes.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def steps_of(pattern: str, text: str, *, searches: bool) -> int:
    """How many steps it takes to find that `pattern` is, or is not, the whole of `text`, or anywhere in it."""
    matcher = _Matcher(pattern, text)
    if not searches:
        matcher.match(0, whole=True)
    else:
        for at in range(len(text) + 1):
            if matcher.match(at, whole=False):
                break
    return matcher.steps


def _signs(items: Any) -> Iterator[int]:
    """Characters that a pattern tells apart."""
    for code, given in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            yield from _signs(given[2])
        elif code is codes.SUBPATTERN:
            yield from _signs(given[3])
        elif code is codes.BRANCH:
            for one in given[1]:
                yield from _signs(one)
        elif code in (codes.LITERAL, codes.NOT_LITERAL):
            yield given
        elif code is codes.IN:
            for kind, value in given:
                if kind is codes.LITERAL:
                    yield value
                elif kind is codes.RANGE:
                    yield value[0]


def ambiguous(pattern: str, *, searches: bool) -> str | None:
    """A text of which twice as much takes more than twice the steps; `None` where there is none among those tried."""
    tree = _parsed(pattern)
    signs = [*dict.fromkeys(chr(number) for number in (ord(" "), ord("a"), *_signs(tree), ord("\x01")))][:9]
    beginnings, literal, before = [""], "", None
    for code, given in tree:
        example = beginnings[-1] + _example([(code, given)])
        literal = example if code is codes.LITERAL and literal == beginnings[-1] else literal
        # Within a word there is nothing to repeat.
        beginnings[len(beginnings) - (code is before is codes.LITERAL) :] = [example]
        before = code
    units = [*signs, *("".join(two) for two in product(signs[:6], repeat=2))]
    if literal:
        units += [literal, literal + "."]
    for beginning, unit, end in product(dict.fromkeys(beginnings), units, ("", "\x01", *signs[:3])):
        try:
            once, twice = (steps_of(pattern, beginning + unit * count + end, searches=searches) for count in (40, 80))
        except TooManySteps:
            return beginning + unit * 80 + end
        if twice > 2 * once + _CONSTANT:
            return beginning + unit * 80 + end
    return None


def _example(items: Any) -> str:
    """A short text that these items match."""
    text = ""
    for code, given in items:
        if code in (codes.MAX_REPEAT, codes.MIN_REPEAT):
            text += _example(given[2]) * max(1, given[0])
        elif code is codes.SUBPATTERN:
            text += _example(given[3])
        elif code is codes.BRANCH:
            text += _example(given[1][0])
        elif code not in (codes.AT, codes.ASSERT, codes.ASSERT_NOT):
            tried = map(chr, (*range(32, 127), *_signs([(code, given)]), *range(0x3000)))
            text += next(sign for sign in tried if _is(code, given, sign))
    return text


_ANYWHERE = {"search", "sub", "subn", "split", "findall", "finditer"}


def uses(folder: Path) -> Iterator[Use]:
    """Every regular expression in the sources below `folder` that is written down."""
    for file in sorted(folder.rglob("*.py")):
        source = file.read_text("utf-8")
        if "re." not in source:
            continue
        tree = ast.parse(source)
        texts = {
            node.targets[0].id: node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        # How each compiled pattern is called, by the name that it has.
        called: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                called.setdefault(node.value.id, set()).add(node.attr)
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if not (isinstance(node.func.value, ast.Name) and node.func.value.id == "re" and node.args):
                continue
            pattern = _text(node.args[0], texts)
            names = [name for name, value in texts.items() if value is node]
            how = {node.func.attr}.union(*(called.get(name, set()) for name in names))
            bound = [value.attr for value in texts.values() if isinstance(value, ast.Attribute) and value.value is node]
            how.update(bound)
            if pattern is not None:
                yield Use(str(file.relative_to(folder)), pattern, bool(how & _ANYWHERE))
            elif node.func.attr != "escape":
                yield Use(str(file.relative_to(folder)), ast.unparse(node.args[0]), searches=True)


def _text(node: ast.expr, texts: dict[str, ast.expr]) -> str | None:
    """The text that an expression of constants makes."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return _text(texts[node.id], texts) if node.id in texts else None
    parts: list[str | None] = []
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [_text(node.left, texts), _text(node.right, texts)]
    elif isinstance(node, ast.JoinedStr):
        parts = [_text(one.value if isinstance(one, ast.FormattedValue) else one, texts) for one in node.values]
    known = [part for part in parts if part is not None]
    return "".join(known) if known and len(known) == len(parts) else None
