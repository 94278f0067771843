"""The formats of an export: functions that turn messages into pieces of text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime

from pychat.cli.export.html import html
from pychat.domain.action_messages import action
from pychat.domain.model import Message
from pychat.domain.strictjson import dumps
from pychat.protocol.v1 import encode_message

__all__ = ["FORMS", "jsonl", "text"]

#: Control characters, escaped as in Python's strings, except line feeds and tabs.
_CONTROLS = {
    number: chr(number).encode("unicode_escape").decode()
    for number in [*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029]
    if chr(number) not in "\n\t"
}


def jsonl(_: str, messages: Iterable[Message]) -> Iterator[str]:
    """One JSON object a line. `date` and `edited` are ISO 8601, `reactions` has the members' ids for each emoji."""
    for message in messages:
        yield f"{dumps(encode_message(message))}\n"


def text(_: str, messages: Iterable[Message]) -> Iterator[str]:
    """The first line of a message has its date and author. Its other lines are indented."""
    for message in messages:
        when = datetime.fromtimestamp(message.date, UTC).strftime("%Y-%m-%d %H:%M:%S")
        said = "(deleted)" if message.deleted else message.text
        performed = "" if message.deleted else action(message.text)
        by = f"* {message.author.name} {performed}" if performed else f"{message.author.name}: {said}"
        lines = [f"{by}{' (edited)' if message.edited is not None else ''}"]
        if message.reply is not None:
            lines.insert(0, f"{message.author.name}, to {message.reply.author}: “{message.reply.text}”")
        if message.reactions:
            lines.append("  ".join(f"{emoji} {len(ids)}" for emoji, ids in message.reactions))
        body = "\n".join(lines).translate(_CONTROLS).replace("\n", "\n    ")
        yield f"{when}  {body}\n"


#: Every format by the name for `--format`.
FORMS: Mapping[str, Callable[[str, Iterable[Message]], Iterator[str]]] = {"jsonl": jsonl, "text": text, "html": html}
