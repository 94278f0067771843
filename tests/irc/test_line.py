"""Lines of IRC: whatever bytes come, and back again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.transports.irc.line import LINE_BYTES, TAG_BYTES, BadLine, Line, LineBuffer

_SIGNS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\n")
_WORD = st.text(_SIGNS.filter(lambda sign: sign != " "), min_size=1, max_size=12).filter(
    lambda word: word[0] not in ":@"
)
_KEY = st.from_regex(r"\+?[a-z./-]{1,12}", fullmatch=True)
_LINES = st.builds(
    Line,
    command=st.sampled_from(["PRIVMSG", "001", "JOIN"]),
    params=st.tuples(_WORD, _WORD, st.text(_SIGNS, max_size=40)) | st.tuples(_WORD) | st.just(()),
    source=st.none() | _WORD,
    tags=st.dictionaries(
        _KEY, st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20), max_size=3
    ),
)


@given(st.binary(max_size=700))
def test_no_bytes_break_the_parser(raw: bytes) -> None:
    """It gives a line, or says in words what is wrong."""
    try:
        line = Line.parse(raw)
    except BadLine as bad:
        assert bad.text
    else:
        assert line.command == line.command.upper() != ""


@given(_LINES)
def test_what_was_written_is_read(line: Line) -> None:
    """A line that is formatted and parsed is the same line, tags with any characters included."""
    assert Line.parse(line.format().encode()) == line


@given(_LINES)
def test_what_was_read_is_written(line: Line) -> None:
    """The form is settled: written again, it is the same bytes."""
    raw = line.encode()
    assert Line.parse(raw.removesuffix(b"\r\n")).encode() == raw


@given(st.lists(st.binary(max_size=50), max_size=20), st.lists(st.integers(1, 40), max_size=40))
def test_lines_are_found_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    """The network cuts anywhere, and ends are CR LF or LF."""
    lines = [line.replace(b"\n", b"").replace(b"\r", b"") for line in lines]
    stream = b"".join(line + (b"\r\n" if number % 2 else b"\n") for number, line in enumerate(lines))
    buffer, heard = LineBuffer(), []
    for cut in [*cuts, len(stream)]:
        heard += list(buffer.feed(stream[:cut]))
        stream = stream[cut:]
    assert [line for line in lines if line] == heard


def test_an_endless_line_is_not_kept() -> None:
    """What is too long is told of once, and takes no room; the next line is heard."""
    buffer = LineBuffer()
    heard = [line for _ in range(100) for line in buffer.feed(b"x" * 10_000)]
    assert heard == []
    assert len(buffer._rest) <= TAG_BYTES + LINE_BYTES
    assert list(buffer.feed(b"end\r\nPING :x\r\n")) == [None, b"PING :x"]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "BAD_LINE"),
        (b":source", "BAD_LINE"),
        (b" :text", "BAD_LINE"),
        (b"PRIVMSG #lobby :a\0b", "BAD_LINE"),
        (b"PRIVMSG #lobby :\xff\xfe", "INVALID_UTF8"),
        (b"PRIVMSG #lobby :" + b"x" * LINE_BYTES, "INPUT_TOO_LONG"),
        (b"@a=" + b"x" * TAG_BYTES + b" PING x", "INPUT_TOO_LONG"),
    ],
)
def test_bad_lines_say_why(raw: bytes, code: str) -> None:
    """Each kind of bad line has its code."""
    with pytest.raises(BadLine) as bad:
        Line.parse(raw)
    assert bad.value.code == code


def test_examples_of_the_documents() -> None:
    """Tags, source, parameters and the last one, as RFC 2812 and IRCv3 show them."""
    line = Line.parse(b"@id=123AB;rose;x=a\\:b\\sc\\\\d\\r\\nz\\ :dan!d@localhost  PRIVMSG  #chan :Hey what's up! ")
    assert line == Line(
        "PRIVMSG",
        ("#chan", "Hey what's up! "),
        "dan!d@localhost",
        {"id": "123AB", "rose": "", "x": "a;b c\\d\r\nz"},
    )
    assert Line.parse(b"join #lobby,#dev :") == Line("JOIN", ("#lobby,#dev", ""))


@pytest.mark.parametrize(
    "line",
    [
        Line("PRIVMSG", ("", "x")),
        Line("PRIVMSG", ("a b", "x")),
        Line("PRIVMSG", (":a", "x")),
        Line("NOTICE", ("a", "b\nc")),
    ],
)
def test_a_line_cannot_be_forged(line: Line) -> None:
    """What would make another line of it is an error, here and not at the reader."""
    with pytest.raises(ValueError, match=r"only the last|cannot hold"):
        line.format()
