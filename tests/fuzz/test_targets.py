"""Every decoder of what strangers send, with its corpus and thousands of mutations of it; `make fuzz` goes on for an hour."""

from __future__ import annotations

import importlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import seeds, targets
from tests.parsers.steps import counted, steps

TARGETS = targets(importlib.import_module)
COUNTED = targets(counted)

#: What decoders look for, and what they do not expect.
MARKS = [
    *(b"\0", b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b":", b",", b";", b"&", b"=", b"%00", b"\x1e", b"\x01", b"\x7f"),
    *(b'"', b"\\", b"\\ud800", b"\\u0000", b"[", b"]", b"{", b"}", b"null", b"true", b"NaN", b"-Infinity", b"1e999"),
    *(
        b"__proto__",
        b"__class__",
        b"constructor",
        b'"_placeholder":true,"num":0',
        b"9" * 101,
        b"-1",
        b"2",
        b"4",
        b"51-",
    ),
    *(
        b"\x81",
        b"\x80",
        b"\x88",
        b"\x89",
        b"\xfe",
        b"\xff",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"\xcc\x81",
        b"@a=",
        b"::1",
    ),
    *(b"\x01\x80\x00\x00\x00\x00", b"\x00\x81\x00\x00\x00\x00x", b"\xff" * 8, b"x" * 130, b"[" * 1_200),
]

edits = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 12), st.one_of(st.sampled_from(MARKS), st.binary(max_size=8))),
    max_size=6,
)


def mutated(seed: bytes, changes: list[tuple[int, int, bytes]]) -> bytes:
    """`seed` with some of its bytes replaced: at this place, so many of them, by these."""
    for at, size, new in changes:
        place = at % (len(seed) + 1)
        seed = seed[:place] + new + seed[place + size :]
    return seed


@pytest.mark.parametrize("name", TARGETS)
def test_the_corpus(name):
    """What once made a decoder fail does not any more, and what is well-formed is taken without a fault."""
    for data in seeds(name):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@given(number=st.integers(0, 999), changes=edits)
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
def test_mutations_of_the_corpus(name, number, changes):
    """What is nearly well-formed is taken or refused, and nothing else happens."""
    corpus = seeds(name)
    TARGETS[name](mutated(corpus[number % len(corpus)], changes))


@pytest.mark.parametrize("name", TARGETS)
@given(number=st.integers(0, 999), changes=edits, times=st.integers(1, 8))
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_it_costs(name, number, changes, times):
    """A decoder's steps are in proportion to the bytes that it is given."""
    corpus = seeds(name)
    data = mutated(corpus[number % len(corpus)], changes) * times
    COUNTED[name](data)  # loads the tables that are loaded once
    took = steps(lambda: COUNTED[name](data))
    assert took <= 5_000 + 200 * len(data), (took, len(data), data)
