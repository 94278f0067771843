"""The full-text search: the form of texts in the index, and FTS5 queries in which nothing that users type is syntax."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["TOKENIZER", "query", "searchable"]

#: Words are letters, digits and symbols such as emoji. Case is ignored; accents count (é is not e).
TOKENIZER = "unicode61 remove_diacritics 0 categories 'L* N* Co So'"

# Scripts without spaces between words, and emoji. Each such character is indexed as a word, and a search for several
# is a search for a phrase: 喝茶 is found in 我们喝茶吧. To change this, write a migration that rebuilds the index.
_ALONE = re.compile(
    "(["
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u2600-\u27bf"  # symbols
    "\u2e80-\u2fdf\u3040-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese, Japanese
    "\U0001f000-\U0001faff"  # emoji
    "]+)"
)


def searchable(text: str) -> str:
    """Return the form of `text` in the index: composed (NFC), so that equal letters are equal words.

    2,000 emoji take 0.1 ms. Putting each between spaces by `re.sub` took 1.3 ms: 20 people could keep a server busy.
    """
    if text.isascii():
        return text
    parts = _ALONE.split(unicodedata.normalize("NFC", text))  # every second part is a run of such characters
    parts[1::2] = map(" ".join, parts[1::2])
    return " ".join(parts)


def query(words: str) -> str | None:
    """Return the FTS5 query for texts with all of `words`; `None` if there are no words."""
    sound = words.replace("\0", " ").encode(errors="ignore").decode()  # NUL ends a query; a lone surrogate has no UTF-8
    phrases = [searchable(word).replace('"', '""') for word in dict.fromkeys(sound.split())]
    return " ".join(f'"{phrase}"' for phrase in phrases) or None
