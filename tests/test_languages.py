"""The catalogues of words agree with each other and with the code that uses them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pychat.web.assets import LATER

ASSETS = Path(__file__).parents[1] / "src" / "pychat" / "assets"
CATALOGUES = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(ASSETS.glob("languages/*.json"))}
ENGLISH = CATALOGUES["en"]
AREAS = {key.partition(".")[0] for key in ENGLISH}
COMMENTS = re.compile(r"/\*.*?\*/|^\s*//.*?$|\{#.*?#\}", re.DOTALL | re.MULTILINE)
LITERAL = re.compile(r"""["'`]([a-z][\w-]*\.[\w.-]*)(?:["'`]|\$\{)""")

CODE = "\n".join(
    COMMENTS.sub("", file.read_text("utf-8"))
    for pattern in ("js/**/*.js", "*.html", "html/**/*.html")
    for file in sorted(ASSETS.glob(pattern))
)
FILES = (".css", ".html", ".js", ".json", ".svg")
USED = {key for key in LITERAL.findall(CODE) if key.partition(".")[0] in AREAS and not key.endswith(FILES)}


def placeholders(words: str | dict[str, str]) -> set[str]:
    """The names in braces, of all plural forms together."""
    return set(re.findall(r"\{(\w+)\}", words if isinstance(words, str) else " ".join(words.values())))


def test_keys_in_the_code_have_words() -> None:
    """Each key that a script or a template names is in English, and so is each beginning of keys."""
    assert {key for key in USED if key not in ENGLISH and not any(each.startswith(key) for each in ENGLISH)} == set()


def test_scripts_that_are_loaded_later_bring_their_words() -> None:
    """The page has the words of the scripts that run at once or soon, so the others are loaded by `withWords`."""
    soon = {(ASSETS / path).resolve() for path in LATER}
    without = []
    for file in ASSETS.glob("js/**/*.js"):
        for before, path in re.findall(
            r"(\S*?)import\(\"(\.[^\"]+)\"\)(?=[\s.);])", COMMENTS.sub("", file.read_text("utf-8"))
        ):
            script = (file.parent / path).resolve()
            if script not in soon and "words.js" in script.read_text("utf-8") and not before.endswith("withWords("):
                without.append((file.name, path))
    assert without == []


def test_no_word_is_left_behind() -> None:
    """Each key of English is named by a script or a template, whole or by its beginning."""
    beginnings = tuple(key for key in USED if key.endswith("."))
    assert [key for key in ENGLISH if key not in USED and not key.startswith(beginnings)] == []


@pytest.mark.parametrize("tag", CATALOGUES)
def test_a_catalogue_is_sorted(tag: str) -> None:
    """So that two people who add words meet nowhere."""
    assert list(CATALOGUES[tag]) == sorted(CATALOGUES[tag])


@pytest.mark.parametrize("tag", CATALOGUES)
def test_a_catalogue_has_plain_words(tag: str) -> None:
    """Words are texts without markup and without spaces around them."""
    texts = [
        text for words in CATALOGUES[tag].values() for text in (words.values() if isinstance(words, dict) else [words])
    ]
    assert [text for text in texts if not text or text != text.strip() or re.search(r"<\w|&\w+;", text)] == []


@pytest.mark.parametrize("tag", CATALOGUES)
def test_a_catalogue_is_whole(tag: str) -> None:
    """Each language has the keys of English, with the same names in braces, and plurals where English has them."""
    words = CATALOGUES[tag]
    assert words.keys() == ENGLISH.keys()
    assert [key for key in words if isinstance(words[key], str) != isinstance(ENGLISH[key], str)] == []
    assert [key for key in words if placeholders(words[key]) != placeholders(ENGLISH[key])] == []


def test_plurals_are_those_of_the_language() -> None:
    """The plural categories of whole numbers that the language has in Unicode's CLDR, no more and no fewer."""
    script = """
      const numbers = [...Array(200).keys()];
      const categories = (tag) => [...new Set(numbers.map((n) => new Intl.PluralRules(tag).select(n)))].concat("other");
      console.log(JSON.stringify(Object.fromEntries(process.argv.slice(1).map((tag) => [tag, categories(tag)]))));
    """
    done = subprocess.run(["node", "-e", script, *CATALOGUES], capture_output=True, text=True, check=True, timeout=30)
    categories = {tag: sorted(set(names)) for tag, names in json.loads(done.stdout).items()}
    wrong = [
        (tag, key)
        for tag, words in CATALOGUES.items()
        for key, forms in words.items()
        if isinstance(forms, dict) and sorted(forms) != categories[tag]
    ]
    assert wrong == []


def test_the_first_words_of_the_elements_are_those_of_english() -> None:
    """What the elements say before the chat answers is what it would say."""
    script = (ASSETS / "js" / "element" / "first-words.js").read_text("utf-8")
    told = dict(re.findall(r'^  "([\w.-]+)": (".*"),$', script, re.MULTILINE))
    assert len(told) > 10
    assert {key: json.loads(text) for key, text in told.items()} == {key: ENGLISH[key] for key in told}


PHYSICAL = re.compile(
    r"(?<![\w-])(?:left|right|(?:margin|padding|border)-(?:left|right)[\w-]*|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"[^;}]*|(?:text-align|float):\s*(?:left|right)"
)
FOUR_SIDES = re.compile(r"(?<![\w-])(?:padding|margin|inset|border-width)\s*:\s*([^;}]*)")


def sides(values: str) -> list[str]:
    """The values of a shorthand; spaces within brackets part nothing."""
    return re.findall(r"(?:[^\s()]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+", values)


@pytest.mark.parametrize("sheet", sorted(ASSETS.glob("css/*.css")), ids=lambda sheet: sheet.name)
def test_styles_turn_around(sheet: Path) -> None:
    """No style says left or right, so all of them hold from right to left too. What scripts measure is in pixels."""
    text = COMMENTS.sub("", sheet.read_text("utf-8"))
    wrong = [found for found in PHYSICAL.findall(text) if "50%" not in found]
    for found in FOUR_SIDES.finditer(text):
        values = sides(found[1])
        if len(values) == 4 and values[1] != values[3] and "--dialog-" not in found[1] and "--menu-" not in found[1]:
            wrong.append(found[0])
    assert wrong == []
