"""Counts the steps of everything in `pychat`, by module: it is imported anew, so that each expression says what it costs.

A call, an operation and each turn of a loop are one step, as in `tests/parsers/steps.py`. What is done in C costs as many
steps as it looks at items: `tuple(members.values())` the number of members, `here | away` the number in both.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from itertools import islice
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from tests.parsers.steps import _Counting, _helper

__all__ = ["Steps", "counted_pychat"]

_VIEWS = (type({}.keys()), type({}.values()), type({}.items()), type(OrderedDict().values()))
_CONTAINERS = (list, tuple, set, frozenset, dict, deque, OrderedDict, defaultdict, *_VIEWS)
_AT_ONCE = {len, isinstance, issubclass, iter, next, getattr, hasattr, setattr, id, type, callable, range, hash, print}
_LAZY = {map, filter, zip, enumerate, reversed, islice}
#: Methods of containers that look at everything in them, whatever they are given.
_WHOLE = {"copy", "index", "remove", "count", "insert", "sort", "reverse", "isdisjoint", "issubset", "difference"}


class Steps(Counter[str]):
    """The steps of each module since `clear` was called."""


def _size(value: object) -> int:
    return len(value) if isinstance(value, _CONTAINERS) else 0


def _cost(called: Any, given: Iterable[object]) -> int:
    owner = getattr(called, "__self__", None)
    if isinstance(owner, _CONTAINERS):
        name = called.__name__
        if name in {"discard", "remove"} and isinstance(owner, (set, dict)):
            return 0
        whole = name in _WHOLE or (name == "pop" and isinstance(owner, list) and given not in ((), (-1,)))
        return sum(map(_size, given)) + (_size(owner) if whole else 0)
    if (getattr(called, "__module__", None) or "").split(".")[0] in {"pychat", "tests"}:
        return 0  # it counts for itself
    return sum(map(_size, given))


def _helpers(steps: Steps, module: str) -> dict[str, Any]:
    """What the expressions of `module` call."""

    def each(items: Iterable[Any]) -> Iterator[Any]:
        for item in items:
            steps[module] += 1
            yield item

    def call(called: Any, /, *given: Any, **named: Any) -> Any:
        steps[module] += 1
        try:
            if called in _LAZY:
                return each(called(*given, **named))
            at_once = called in _AT_ONCE
        except TypeError:  # it has no hash
            at_once = False
        if not at_once:
            steps[module] += _cost(called, (*given, *named.values()) if named else given)
        return called(*given, **named)

    def value(value: Any) -> Any:
        steps[module] += 1 + _size(value)
        return value

    def operation(left: Any, right: Any, operator: str) -> Any:
        steps[module] += 1
        if operator == "BitAnd":
            steps[module] += min(_size(left), _size(right))
            return left & right
        steps[module] += _size(left) + _size(right)
        return left | right if operator == "BitOr" else left - right

    def grown(value: object) -> None:
        steps[module] += len(value) if isinstance(value, tuple) else 0

    def deleted(value: object) -> None:
        steps[module] += 1 + (len(value) if isinstance(value, list) else 0)

    def within(one: object, all_: Any) -> bool:
        steps[module] += 1 + (_size(all_) if isinstance(all_, (list, tuple, deque, type({}.values()))) else 0)
        return one in all_

    def tick() -> None:
        steps[module] += 1

    found = (call, value, operation, grown, deleted, within, each, tick)
    return {f"__steps_{one.__name__}__": one for one in found} | {"__steps_copied__": value}


class _Walking(_Counting):
    """Counts the walks over sets and the copies of `[*these]` too."""

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:  # noqa: N802 -- the name that ast calls
        if not isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.Sub)):
            return super().visit_BinOp(node)
        self.generic_visit(node)
        return _helper("operation", node.left, node.right, ast.Constant(type(node.op).__name__))

    def _visit_display(self, node: ast.List | ast.Tuple | ast.Set) -> ast.expr:
        self.generic_visit(node)
        loaded = isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        return _helper("value", node) if loaded and any(isinstance(one, ast.Starred) for one in node.elts) else node

    visit_List = visit_Tuple = visit_Set = _visit_display  # noqa: N815 -- the names that ast calls

    def visit_Dict(self, node: ast.Dict) -> ast.expr:  # noqa: N802 -- same
        self.generic_visit(node)
        return _helper("value", node) if None in node.keys else node


class _Loader(SourceFileLoader):
    steps: Steps

    def get_code(self, fullname: str) -> CodeType:
        tree = _Walking().visit(ast.parse(Path(self.path).read_text("utf-8")))
        return compile(ast.fix_missing_locations(tree), self.path, "exec")

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(_helpers(self.steps, module.__name__))
        super().exec_module(module)


class _Finder(MetaPathFinder):
    def __init__(self, steps: Steps) -> None:
        self._steps = steps

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname.partition(".")[0] != "pychat":
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(spec.loader.name, spec.loader.path)
            spec.loader.steps = self._steps
        return spec


@contextmanager
def counted_pychat() -> Iterator[Steps]:
    """Inside, `import pychat` gives a second copy of it, which counts its steps in what is yielded."""

    def ours() -> list[str]:
        return [name for name in sys.modules if name.partition(".")[0] == "pychat"]

    uncounted = {name: sys.modules.pop(name) for name in ours()}
    steps = Steps()
    finder = _Finder(steps)
    sys.meta_path.insert(0, finder)
    try:
        yield steps
    finally:
        sys.meta_path.remove(finder)
        for name in ours():
            del sys.modules[name]
        sys.modules.update(uncounted)
