"""Command lines of the docs, held to the programs that they call."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable

import click
import granian.cli
import uvicorn

from pychat.cli.main import main
from pychat.cli.settings import SETTINGS
from pychat.web.api.api import OPERATIONS
from tests.docs.pages import ROOT, Block

__all__ = ["check", "pychat_context"]

_ASSIGNMENT = re.compile(r"([A-Z_]+)=(.*)")


def check(block: Block) -> None:
    """Fail for a command that would not work: an unknown program, option, target, package or variable."""
    for line in block.code.replace("\\\n", " ").splitlines():
        for command in line.split("&&"):
            words = shlex.split(command, comments=True)
            while "|" in words:
                _command(words[: words.index("|")])
                words = words[words.index("|") + 1 :]
            _command(words)


def _command(words: list[str]) -> None:
    while words and (assigned := _ASSIGNMENT.fullmatch(words[0])):
        assert assigned[1] in {setting.variable for setting in SETTINGS.values()}, f"there is no variable {assigned[1]}"
        words = words[1:]
    if words:
        program, *arguments = words
        assert program in _PROGRAMS, f"the docs use `{program}`, which nothing here knows how to check"
        _PROGRAMS[program](arguments)


def _pychat(arguments: list[str]) -> None:
    if arguments in (["--help"], ["--version"]):
        return
    pychat_context(arguments)


def pychat_context(arguments: list[str]) -> click.Context:
    """Click's context of a subcommand, below that of `pychat`: Click keeps the help option that it makes first."""
    name, *options = arguments
    return main.commands[name].make_context(name, options, parent=main.make_context("pychat", [name]))


def _make(arguments: list[str]) -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for argument in arguments:
        assert argument in targets or argument.startswith("ARGS="), f"there is no target {argument}"


def _pip(arguments: list[str]) -> None:
    verb, *packages = arguments
    assert verb == "install"
    table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    known = {".", *table["project"]["dependencies"], *map(str, table["dependency-groups"]["test"])}
    extras = table["project"]["optional-dependencies"]
    for package in packages:
        if extra := re.fullmatch(r"\.\[(\w+)\]", package):
            assert extra[1] in extras, package
            continue
        assert package.partition("[")[0] in {re.split(r"[\[<>=;~]", each)[0] for each in known}, package


def _anything(arguments: list[str]) -> None:
    """A program that every system has, in a pipe with ours."""


def _uvicorn(arguments: list[str]) -> None:
    context = uvicorn.main.make_context("uvicorn", arguments)
    assert re.fullmatch(r"[\w.]+:\w+", context.params["app"])


def _hypercorn(arguments: list[str]) -> None:
    app, *options = arguments
    assert re.fullmatch(r"\w+:\w+", app)
    assert options in ([], ["--bind", "127.0.0.1:3000"]), options


def _granian(arguments: list[str]) -> None:
    context = granian.cli.cli.make_context("granian", arguments)
    assert re.fullmatch(r"\w+:\w+", context.params["app"])


def _django_admin(arguments: list[str]) -> None:
    assert arguments == ["startproject", "mysite", "."], arguments


def _curl(arguments: list[str]) -> None:
    method = "POST" if "-d" in arguments else "GET"
    if method == "POST":
        at = arguments.index("-d")
        arguments = arguments[:at] + arguments[at + 2 :]
    (url,) = (argument for argument in arguments if not argument.startswith("-"))
    found = re.fullmatch(r"http://localhost:3000/(?:healthz|readyz|api(/[^?]+)(?:\?.*)?)", url)
    assert found, url
    assert found[1] is None or any(each.method == method and each.pattern.fullmatch(found[1]) for each in OPERATIONS), (
        url
    )


def _python(arguments: list[str]) -> None:
    assert arguments[0].endswith(".py") or arguments == ["-m", "venv", ".venv"], arguments


def _git(arguments: list[str]) -> None:
    assert arguments == ["clone", "URL", "pychat"], arguments


def _cd(arguments: list[str]) -> None:
    assert arguments == ["pychat"], arguments


def _activate(arguments: list[str]) -> None:
    assert arguments == [".venv/bin/activate"]


_PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "cd": _cd,
    "django-admin": _django_admin,
    "git": _git,
    "granian": _granian,
    "hypercorn": _hypercorn,
    "pychat": _pychat,
    "make": _make,
    "pip": _pip,
    "df": _anything,
    "head": _anything,
    "tail": _anything,
    "uvicorn": _uvicorn,
    "curl": _curl,
    "python": _python,
    "python3": _python,
    ".": _activate,
}
