"""The words of the page in several languages: reads the catalogues, and picks the language of a reader.

A catalogue is a flat JSON object `languages/TAG.json`. Its values are texts with `{names}` in them, or objects with a
text for each plural category. A chat can have catalogues of its own; words that they lack are English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from os.path import normpath
from pathlib import Path

from markupsafe import Markup, escape

from pychat.domain.errors import UsageError
from pychat.domain.request import Request
from pychat.web.assets import LATER

__all__ = ["COOKIE", "Language", "Languages"]

#: The choice of the reader; the script of the page sets it.
COOKIE = "pychat-language"

_FIRST = "en"  # the language that lacks nothing
_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8})*")  # BCP 47
# Of a reader: longer ones are no language's (RFC 5646, section 4.4.1).
_LONGEST_TAG, _MAX_ACCEPTED = 35, 30
_RIGHT_TO_LEFT = frozenset({"ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"})
_NAME = re.compile(r"\{(\w+)\}")
_IMPORT = re.compile(r"""(?:\bfrom|^import) ["'](\.[^"']+)["']""", re.MULTILINE)
#: The scripts of the page, and of the element, that bring their words; others are loaded when they are needed.
_PAGE = ("js/page/page.js", *LATER)
_ELEMENT = ("js/element/element.js", "js/element/unread.js", *LATER)
# A key in a script, or the beginning of several: "error." + code, or `error.${code}`.
_IN_SCRIPT = re.compile(r"""["'`]([a-z][\w-]*\.(?:[\w.-]*(?=["'`])|(?=\$\{)))""")

_Words = Mapping[str, str | Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Language:
    """One language, with all words of the page."""

    tag: str
    words: _Words
    #: What scripts need at once, as JSON that can stand in a page; `more` in it is the address of the rest.
    script: Markup = field(repr=False)
    #: The same for the element.
    embedded: Markup = field(repr=False)
    #: The words of all scripts, as JSON.
    all_scripts: str = field(repr=False)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`, for `dir`."""
        return "rtl" if self.tag.partition("-")[0] in _RIGHT_TO_LEFT else "ltr"

    def t(self, key: str, /, **values: object) -> Markup:
        """The words of a key, with values in place of `{names}`. Both are escaped, but values that are markup.

        There are no plurals in templates: scripts have them.
        """
        text = self.words[key]
        if not isinstance(text, str):
            msg = f"“{key}” has plurals, which only scripts can use."
            raise UsageError(msg)
        return Markup(_NAME.sub(lambda found: escape(values[found[1]]), escape(text)))  # noqa: S704 -- both are escaped


class Languages:
    """The languages of one chat, and which of them a reader gets."""

    def __init__(self, assets: Path, language: str | None = None, folder: str | Path | None = None) -> None:
        """`assets` holds pychat's own. `language` is for readers who ask for none of them; English by default.

        `folder` holds further ones as `TAG.json`, or other words for pychat's own. Raise `UsageError` if there is no
        such folder or language, or if a file is wrong.
        """
        if folder is not None and not Path(folder).is_dir():
            msg = f"There is no directory of languages “{folder}”. Name a folder that holds files such as sv.json."
            raise UsageError(msg)
        first = _read(assets / "languages" / f"{_FIRST}.json")
        files = sorted((assets / "languages").glob("*.json"))
        own = sorted(Path(folder).glob("*.json")) if folder is not None else []
        catalogues: dict[str, dict[str, str | Mapping[str, str]]] = {}
        for file in (*files, *own):
            if not _TAG.fullmatch(file.stem):
                msg = f"“{file}” is not named after a language: write its tag, such as sv.json or pt-PT.json."
                raise UsageError(msg)
            catalogues.setdefault(file.stem, dict(first)).update(_read(file))
        keys = _script_keys(assets, frozenset(first))
        tags = sorted(catalogues)
        page, embedded, all_scripts = keys

        def script(tag: str, some: Iterable[str], more: str | None = None) -> Markup:
            return _as_script(tag, tags, {key: catalogues[tag][key] for key in some}, more)

        def at_once(tag: str, some: Iterable[str]) -> Markup:
            return script(tag, (key for key in some if not _is_told(key, tag)), f"words.json?language={tag}")

        #: By tag. A page is kept for each, so there are never more than these.
        self.all = {
            tag: Language(tag, words, at_once(tag, page), at_once(tag, embedded), script(tag, all_scripts))
            for tag, words in catalogues.items()
        }
        self._by_name = {tag.lower(): each for tag, each in self.all.items()}
        #: What readers get who ask for none of these.
        default = self._find(language or _FIRST)
        if default is None:
            msg = f"There is no language “{language}”. There are: {', '.join(tags)}."
            raise UsageError(msg)
        self.default = default

    def of(self, request: Request) -> Language:
        """The language of a reader: `?language=`, the cookie of the page, what the browser asks for, or the default."""
        wanted = [request.query.get("language", ""), request.cookies.get(COOKIE, "")]
        for tag in (*wanted, *_accepted(request.headers.get("accept-language", ""))):
            found = self._find(tag)
            if found is not None:
                return found
        return self.default

    def _find(self, tag: str) -> Language | None:
        """The language of a tag, or the next wider one (RFC 4647, section 3.4)."""
        name = tag.strip().lower() if len(tag) <= _LONGEST_TAG else ""
        while name:
            if name in self._by_name:
                return self._by_name[name]
            name = name.rpartition("-")[0]
        return None


def _accepted(header: str) -> list[str]:
    """The languages of `Accept-Language`, the most wanted first (RFC 9110, section 12.5.4)."""
    ranked = []
    for part in header.split(",", _MAX_ACCEPTED)[:_MAX_ACCEPTED]:
        tag, _, parameter = part.partition(";")
        try:
            quality = float(parameter.partition("q=")[2] or 1)
        except ValueError:
            continue
        if quality > 0:
            ranked.append((quality, tag.strip()))
    return [tag for _, tag in sorted(ranked, key=lambda each: -each[0])]


def _read(file: Path) -> dict[str, str | Mapping[str, str]]:
    try:
        words = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        msg = f"The language file “{file}” is not JSON: {error}"
        raise UsageError(msg) from error
    if not isinstance(words, dict):
        msg = f"The language file “{file}” is not an object of texts."
        raise UsageError(msg)
    for key, text in words.items():
        plural = isinstance(text, dict) and "other" in text and all(isinstance(each, str) for each in text.values())
        if not isinstance(text, str) and not plural:
            msg = f"“{key}” in “{file}” is neither a text nor an object of texts with “other”."
            raise UsageError(msg)
    return words


@cache
def _script_keys(assets: Path, keys: frozenset[str]) -> tuple[list[str], list[str], list[str]]:
    """The keys that stand in the scripts of the page, in those of the element, and in all scripts."""
    scripts = {file: file.read_text("utf-8") for file in assets.glob("js/**/*.js")}

    def of(entries: Iterable[str]) -> list[str]:
        at_once: dict[Path, None] = {}
        waiting = [assets / entry for entry in entries]
        while waiting:
            file = waiting.pop()
            if file in scripts and file not in at_once:
                at_once[file] = None
                waiting += [Path(normpath(file.parent / name)) for name in _IMPORT.findall(scripts[file])]
        return sorted(_keys_in(keys, (scripts[file] for file in at_once)))

    return of(_PAGE), of(_ELEMENT), sorted(_keys_in(keys, scripts.values()))


def _is_told(key: str, tag: str) -> bool:
    """Whether readers of a language get the server's own text of a refusal, which is English: see refusalText."""
    return key.startswith("error.") and tag.partition("-")[0] == _FIRST


def _keys_in(keys: frozenset[str], scripts: Iterable[str]) -> set[str]:
    named = {key for script in scripts for key in _IN_SCRIPT.findall(script)}
    areas = tuple(key for key in named if key.endswith("."))
    return {key for key in keys if key in named or key.startswith(areas)}


def _as_script(tag: str, tags: Iterable[str], words: _Words, more: str | None = None) -> Markup:
    told = {"language": tag, "languages": list(tags), "words": words, **({"more": more} if more else {})}
    text = json.dumps(told, ensure_ascii=False, separators=(",", ":"))
    # Nothing in it can end the element that it stands in, nor begin a comment.
    return Markup(text.replace("<", "\\u003c"))  # noqa: S704 -- no markup is left
