"""The HTML format of an export: one page without scripts or other files, also for printing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape

from pychat.domain.action_messages import action
from pychat.domain.links import pieces
from pychat.domain.model import Message, iso

__all__ = ["html"]

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --faint: #5c6370; --line: #d8dbe0; }}
@media (prefers-color-scheme: dark) {{ :root {{ --faint: #a3a9b5; --line: #3a3f47; }} }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }}
h2 {{ font-size: 1rem; color: var(--faint); border-bottom: 1px solid var(--line); margin: 2rem 0 1rem; }}
article {{ margin: 0 0 .75rem; break-inside: avoid; content-visibility: auto; contain-intrinsic-size: auto 3rem; }}
article p {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; }}
time, .mark, footer {{ color: var(--faint); font-size: .85rem; }}
time a {{ color: inherit; text-decoration: none; }}
blockquote {{ margin: .15rem 0; padding-left: .6rem; border-left: 3px solid var(--line); color: var(--faint); }}
blockquote a {{ color: inherit; }}
ul {{ list-style: none; margin: .15rem 0 0; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem; }}
li {{ border: 1px solid var(--line); border-radius: 1rem; padding: 0 .5rem; font-size: .85rem; }}
:target {{ outline: 2px solid; outline-offset: .3rem; }}
@media print {{ body {{ max-width: none; margin: 0; }} article {{ content-visibility: visible; }} }}
</style>
</head>
<body>
<header><h1 dir="auto">{title}</h1></header>
<main>
"""


def html(title: str, messages: Iterable[Message]) -> Iterator[str]:
    """A page with that title, a heading for each day (UTC), and an anchor for each message: `#m12` is number 12."""
    yield _HEAD.format(title=escape(title))
    day, count = None, 0
    for message in messages:
        when = datetime.fromtimestamp(message.date, UTC)
        if when.date() != day:
            day = when.date()
            yield f'<h2><time datetime="{day.isoformat()}">{day:%A}, {day.day} {day:%B %Y}</time></h2>\n'
        yield _article(message, when)
        count += 1
    yield f"</main>\n<footer><p>{count:,} {'message' if count == 1 else 'messages'}. Times are UTC.</p></footer>\n"
    yield "</body>\n</html>\n"


def _article(message: Message, when: datetime) -> str:
    # `bdi` and `dir="auto"`: a name or a text in one direction must not change the direction of the text beside it.
    number = message.seq
    name, clock = escape(message.author.name), f'<a href="#m{number}">{when:%H:%M}</a>'
    parts = [
        f'<article id="m{number}">\n',
        f'<header><strong><bdi>{name}</bdi></strong> <time datetime="{iso(message.date)}">{clock}</time></header>\n',
    ]
    if message.reply is not None:
        reply = message.reply
        parts.append(
            f'<blockquote><a href="#m{reply.seq}"><bdi>{escape(reply.author)}</bdi></a>: '
            f"<bdi>{escape(reply.text)}</bdi></blockquote>\n"
        )
    if message.deleted:
        parts.append('<p class="mark">This message was deleted.</p>\n')
    else:
        mark = ""
        if message.edited is not None:
            mark = f' <span class="mark" title="{iso(message.edited)}">(edited)</span>'
        performed = action(message.text)
        text = f"<i><bdi>{name}</bdi> {_linked(performed)}</i>" if performed else _linked(message.text)
        parts.append(f'<p dir="auto">{text}{mark}</p>\n')
    if message.reactions:
        items = "".join(f"<li>{escape(emoji)} {len(ids)}</li>" for emoji, ids in message.reactions)
        parts.append(f'<ul aria-label="Reactions">{items}</ul>\n')
    parts.append("</article>\n")
    return "".join(parts)


def _linked(text: str) -> str:
    return "".join(
        f'<a href="{escape(piece.href)}" rel="noopener noreferrer nofollow">{escape(piece.text)}</a>'
        if piece.href
        else escape(piece.text)
        for piece in pieces(text)
    )
