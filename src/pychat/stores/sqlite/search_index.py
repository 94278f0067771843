"""Words: what of a text can be searched for, and how a search is put to FTS5 so that nothing in it is syntax."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["TOKENIZER", "query", "searchable"]

#: Words are letters, digits and symbols such as emoji, however cased; accents count (é is not e).
TOKENIZER = "unicode61 remove_diacritics 0 categories 'L* N* Co So'"

# Scripts that put no space between words, and emoji. Each such character is made a word of its own, and a word that
# is searched for is a phrase of them: 喝茶 is found in 我们喝茶吧. The index is only right as long as this stays as it
# is: to change it, write a migration that builds the index anew.
_ALONE = re.compile(
    "(["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2600-\u27bf"  # symbols
    "\u2e80-\u2fdf\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese, Japanese
    "\U0001f000-\U0001faff"  # emoji
    "]+)"
)


def searchable(text: str) -> str:
    """What the index holds of `text`: composed (NFC), so that the same letters are the same word.

    2,000 emoji take 0.1 ms. Putting each between spaces by `re.sub` took 1.3 ms: 20 people could keep a server busy.
    """
    parts = _ALONE.split(unicodedata.normalize("NFC", text))  # every other part is a run of such characters
    parts[1::2] = map(" ".join, parts[1::2])
    return " ".join(parts)


def query(words: str) -> str | None:
    """The FTS5 query for texts that hold all of `words`; `None` if there are no words."""
    sound = words.replace("\0", " ").encode(errors="ignore").decode()  # NUL ends a query; half a character has no UTF-8
    phrases = [searchable(word).replace('"', '""') for word in dict.fromkeys(sound.split())]
    return " ".join(f'"{phrase}"' for phrase in phrases) or None
