"""Large frames that nobody reads: all of them together are bounded."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from pychat.net.slow_readers.send_budget import SendBudget
from pychat.net.slow_readers.unread_frames import LARGE_BYTES, UNREAD, UnreadFrames

_PAGE = 100 * 1024


@dataclass(eq=False)
class Receiver:
    """A connection that notes whether it was closed."""

    remote: str = "192.0.2.1"
    buffered: int = 0
    closed: bool = False
    order: list[Receiver] = field(default_factory=list)

    def drop(self) -> None:
        """Note it."""
        assert not self.closed
        self.closed = True
        self.order.append(self)


def _waits(unread: UnreadFrames, receiver: Receiver, size: int = _PAGE) -> None:
    unread.add(receiver, object(), size)
    receiver.buffered += size


def test_the_heaviest_address_is_closed_first_and_its_oldest_receivers_first():
    """Past the bound, an address with many unread pages loses its oldest connections; others keep theirs."""
    closed: list[Receiver] = []
    unread = UnreadFrames(10 * _PAGE)
    others = [Receiver(f"192.0.2.{number}", order=closed) for number in range(2, 6)]
    heavy = [Receiver(order=closed) for _ in range(7)]
    for receiver in [*others, *heavy]:
        _waits(unread, receiver)
    assert closed == heavy[:4]
    assert unread.total == 7 * _PAGE


def test_who_has_read_does_not_count():
    """Receivers that took their frames are never closed, however many there were."""
    unread = UnreadFrames(10 * _PAGE)
    receivers = [Receiver() for _ in range(100)]
    for receiver in receivers:
        _waits(unread, receiver)
        receiver.buffered = LARGE_BYTES
    assert not any(receiver.closed for receiver in receivers)
    assert len(unread) <= 10


def test_the_newest_is_never_closed_for_its_own_frame():
    """A frame larger than the bound is sent all the same; it was asked for."""
    unread = UnreadFrames(_PAGE)
    receiver = Receiver()
    _waits(unread, receiver, 3 * _PAGE)
    _waits(unread, receiver, 3 * _PAGE)
    assert not receiver.closed


def test_a_frame_for_everybody_counts_once():
    """What was said while a room was busy is one frame for all its members, and is in memory once."""
    unread, frame = UnreadFrames(10 * _PAGE), object()
    receivers = [Receiver() for _ in range(100)]
    for receiver in receivers:
        unread.add(receiver, frame, _PAGE)
        receiver.buffered += _PAGE
    assert not any(receiver.closed for receiver in receivers)


def test_an_ended_connection_is_forgotten():
    """Nothing of a connection that is gone stays, nor keeps it in memory."""
    unread = UnreadFrames(10 * _PAGE)
    receiver = Receiver()
    _waits(unread, receiver)
    del receiver
    gc.collect()
    assert (0, 0) == (len(unread), unread.total)


def test_small_frames_do_not_count():
    """A frame of 64 KiB does not count; a larger one does."""
    budget, receiver = SendBudget(1 << 20), Receiver()
    before = len(UNREAD)
    assert budget.admits(0, LARGE_BYTES, object(), receiver)
    assert len(UNREAD) == before
    assert budget.admits(0, LARGE_BYTES + 1, object(), receiver)
    assert len(UNREAD) == before + 1


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3), st.integers(LARGE_BYTES + 1, 4 * _PAGE)), max_size=60))
def test_the_bound_holds(steps: list[tuple[int, int, int]]) -> None:
    """After any sequence of frames, reads and ends, what waits is within the bound, beside the newest receiver's."""
    unread = UnreadFrames(10 * _PAGE)
    receivers = [Receiver(f"192.0.2.{number % 3}") for number in range(10)]
    for number, action, size in steps:
        receiver = receivers[number]
        if receiver.closed or action == 3:
            receivers[number] = Receiver(receiver.remote)
        elif action == 2:
            receiver.buffered = 0
        else:
            _waits(unread, receiver, size)
            waiting = sum(each.buffered for each in receivers if each is not receiver and not each.closed)
            assert waiting <= 10 * _PAGE
