"""Counts the steps of a parser, not its seconds: a copy of its module is loaded in which each expression says what it costs.

A call, an operation and each turn of a loop are one step. What the interpreter does in C costs as many steps as it
reads or writes items: `text.partition(" ")` the length of `text`, `data[1:]` the length of what is copied, `pop(0)` the length of the list. So
what is copied, searched or moved again and again shows, however fast the machine is.
"""

from __future__ import annotations

import ast
import builtins
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import BuiltinFunctionType, FunctionType, MethodType, MethodWrapperType, ModuleType
from typing import Any, TypeVar

__all__ = ["CONSTANT", "assert_linear", "counted", "counted_source", "largest", "steps"]

#: What a run may cost beyond the double of one of half the size.
CONSTANT = 2_000

_Any = TypeVar("_Any")

_AT_ONCE = {
    len, isinstance, issubclass, iter, next, getattr, hasattr, setattr, id, type, ord, chr, callable, range, enumerate,
    reversed, zip, map, filter, memoryview, super, print, object.__new__, hash,
}  # fmt: skip
_TEXTS = (str, bytes, bytearray)
_SEARCHES = {"find", "index", "rfind", "rindex"}
_ENDS = {"startswith", "endswith"}
_GROW = {"append", "extend", "clear"}


class _Steps:
    """The count of the run that is going on."""

    total = 0
    #: The largest text that each function was given, by its name.
    largest: dict[str, int] = {}  # noqa: RUF012 -- one run at a time


def _size(value: object) -> int:
    """How many items a value holds next to each other: what copying it costs."""
    if isinstance(value, (str, bytes, bytearray, list, tuple, memoryview)):
        return len(value)
    if isinstance(value, int):
        return value.bit_length() // 64
    return 0


def _search(owner: Any, found: int, needle: object, start: int = 0, end: int | None = None) -> int:
    """What `find` looks at."""
    start, end, _ = slice(start, end).indices(len(owner))
    return max(0, (found if found >= 0 else end) - start) + _size(needle)


def _search_back(owner: Any, found: int, needle: object, start: int = 0, end: int | None = None) -> int:
    """What `rfind` looks at."""
    start, end, _ = slice(start, end).indices(len(owner))
    return max(0, end - (found if found >= 0 else start)) + _size(needle)


def _cost(called: Any, given: tuple[Any, ...], result: object) -> int:
    try:
        if called in _AT_ONCE:
            return 0
    except TypeError:
        pass
    owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
    if isinstance(called, (BuiltinFunctionType, MethodWrapperType)) or isinstance(owner, re.Pattern):
        if isinstance(owner, _TEXTS):
            if name in _SEARCHES and isinstance(result, int):
                return (_search_back if name.startswith("r") else _search)(owner, result, *given)
            if name in _ENDS:
                return sum(map(_size, given))
            if isinstance(owner, bytearray) and name in _GROW:
                return sum(map(_size, given))
            if name == "join":
                return _size(result)
            return len(owner) + (0 if isinstance(result, (list, tuple)) else _size(result))
        if isinstance(owner, list):
            if name == "append" or (name == "pop" and given in {(), (-1,)}):
                return 0
            return len(owner) + sum(map(_size, given))
        if owner is not None and not isinstance(owner, (ModuleType, type, re.Pattern)):
            return 0  # of dicts, sets and deques
    elif isinstance(called, (FunctionType, MethodType)) and getattr(called, "__module__", "").startswith("steps_of."):
        return 0  # it counts for itself
    return sum(map(_size, given)) + _size(result)


def _call(called: Any, /, *given: Any, **named: Any) -> Any:
    result = called(*given, **named)
    _Steps.total += 1 + _cost(called, given, result)
    name = getattr(called, "__name__", "")
    for one in given:
        if isinstance(one, _TEXTS):
            _Steps.largest[name] = max(_Steps.largest.get(name, 0), len(one))
    return result


def _value(value: _Any) -> _Any:
    _Steps.total += 1 + _size(value)
    return value


def _copied(value: _Any) -> _Any:
    _Steps.total += 1 + (0 if isinstance(value, memoryview) else _size(value))
    return value


def _grown(value: object) -> None:
    if isinstance(value, (str, bytes, tuple)):  # copied whole; lists and bytearrays grow in place
        _Steps.total += len(value)


def _deleted(value: object) -> None:
    _Steps.total += 1 + (len(value) if isinstance(value, list) else 0)  # a bytearray drops its beginning at once


def _within(one: object, all_: Any) -> bool:
    _Steps.total += 1 + _size(all_)
    return one in all_


def _each(items: Iterable[_Any]) -> Iterator[_Any]:
    for item in items:
        _Steps.total += 1
        yield item


def _tick() -> None:
    _Steps.total += 1


_HELPERS: dict[str, Any] = {
    f"__steps{one.__name__}__": one for one in (_call, _value, _copied, _grown, _deleted, _within, _each, _tick)
}


def _helper(name: str, *given: ast.expr, keywords: list[ast.keyword] | None = None) -> ast.Call:
    return ast.Call(ast.Name(f"__steps_{name}__", ast.Load()), list(given), keywords or [])


def _loaded(target: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(target), mode="eval").body


class _Counting(ast.NodeTransformer):
    """Has every expression that may cost something say what it cost."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in {"super", "locals"}:
            return node
        return _helper("call", node.func, *node.args, keywords=node.keywords)

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        return _helper("value", node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        for value in node.values:
            if isinstance(value, ast.FormattedValue):
                value.value = self.visit(value.value)
        return _helper("value", node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Slice):
            return _helper("copied", node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        self.generic_visit(node)
        if len(node.ops) == 1 and isinstance(node.ops[0], (ast.In, ast.NotIn)):
            found = _helper("within", node.left, node.comparators[0])
            return found if isinstance(node.ops[0], ast.In) else ast.UnaryOp(ast.Not(), found)
        return node

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        target = _loaded(node.target)
        node.value = _helper("value", self.visit(node.value))
        return [node, ast.Expr(_helper("grown", target))]

    def visit_Delete(self, node: ast.Delete) -> list[ast.stmt]:
        sliced = [one for one in node.targets if isinstance(one, ast.Subscript) and isinstance(one.slice, ast.Slice)]
        return [*(ast.Expr(_helper("deleted", _loaded(one.value))) for one in sliced), node]

    def visit_For(self, node: ast.For) -> ast.For:
        self.generic_visit(node)
        node.iter = _helper("each", node.iter)
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.comprehension:
        self.generic_visit(node)
        if not node.is_async:
            node.iter = _helper("each", node.iter)
        return node

    def visit_While(self, node: ast.While) -> ast.While:
        self.generic_visit(node)
        node.body.insert(0, ast.Expr(_helper("tick")))
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return node


def counted_source(name: str, source: str, file: str = "<source>", package: str | None = None) -> ModuleType:
    """A module of this source that counts its steps."""
    tree = ast.fix_missing_locations(_Counting().visit(ast.parse(source)))
    module = ModuleType(f"steps_of.{name}")
    module.__dict__.update(_HELPERS, __file__=file, __package__=package, __builtins__=builtins)
    sys.modules[module.__name__] = module  # dataclasses look there
    exec(compile(tree, file, "exec"), module.__dict__)  # noqa: S102 -- our own modules
    return module


def counted(name: str) -> Any:
    """A copy of one of our modules that counts its steps. What it imports does not."""
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return counted_source(name, Path(spec.origin).read_text("utf-8"), spec.origin, name.rpartition(".")[0])


def steps(run: Callable[[], object]) -> int:
    """How many steps counted modules take in `run`."""
    _Steps.total = 0
    _Steps.largest = {}
    run()
    return _Steps.total


def largest(name: str) -> int:
    """The length of the largest text that a function of that name was given in the last run."""
    return _Steps.largest.get(name, 0)


def assert_linear(
    run: Callable[[Any], object], make: Callable[[int], Any], size: int = 200, constant: int = CONSTANT
) -> None:
    """Fail unless input of the double size takes at most the double steps, and a few."""
    once, twice = steps(lambda: run(make(size))), steps(lambda: run(make(2 * size)))
    assert twice <= 2 * once + constant, f"{size}: {once} steps, {2 * size}: {twice}, of {make(3)!r}"
